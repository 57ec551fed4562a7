"""Values of options that have a form of their own: URLs, ranges of ports, names of components."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from cfroute.errors import UsageError

EMBEDDED: Final = "embedded"
"""Instead of a URL: one of our own again."""

COMPONENTS: Final = (
    "load_balancer",
    "gorouter",
    "tcp_router",
    "nats",
    "route_emitter",
    "tcp_emitter",
    "route_registrar",
    "cell",
    "routing_api",
    "locket",
    "bbs",
    "cloud_controller",
    "uaa",
)
"""What `--without` can leave out; in the order of a request's way."""

LOWEST_TCP_PORT, HIGHEST_PORT = 1024, 65535
MOST_TCP_PORTS: Final = 2000  # each is a listening socket of the load balancer

_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+")
_NATS_PORT = 4222
_LOCKET_PORT = 8891
_DATABASES = ("mysql", "postgres", "postgresql", "sqlite")


class Credentials(msgspec.Struct, frozen=True):
    """What an existing NATS cluster wants to know; both empty where it asks for nothing."""

    user: str = ""
    password: str = ""


def nats_urls(text: str) -> tuple[tuple[str, ...], Credentials]:
    """The servers named by `--nats`, without credentials, and the credentials (those of the first URL that has any).

    `embedded` (or nothing) stands for a server of our own. Raises UsageError for what is no NATS URL.
    """
    if text in {"", EMBEDDED}:
        return (), Credentials()
    urls = [_nats_url(part.strip()) for part in text.split(",")]
    named = next((url for url in urls if url.username), None)
    credentials = Credentials(named.username or "", named.password or "") if named else Credentials()
    return tuple(f"nats://{_host(url)}:{url.port or _NATS_PORT}" for url in urls), credentials


def _host(url: SplitResult) -> str:
    host = url.hostname or ""
    return f"[{host}]" if ":" in host else host


def _nats_url(text: str) -> SplitResult:
    url = _split(text if "://" in text else f"nats://{text}")
    if url is not None and url.scheme == "nats":
        return url
    shown = text.rsplit("@", 1)[-1]
    raise UsageError(f"--nats: {shown!r} is no NATS URL", "write nats://USER:PASSWORD@HOST:4222, or several with commas between")


def _split(text: str) -> SplitResult | None:
    """The URL, if it has a host; None for other text."""
    try:
        url = urlsplit(text)
        return url if _HOST.fullmatch(url.hostname or "") and url.port != 0 else None
    except ValueError:  # a port that is no number, or a bracket too few
        return None


def web_url(option: str, text: str, ports: dict[str, int]) -> str:
    """The URL of a component that runs elsewhere, as SCHEME://HOST:PORT; `ports` has each scheme's usual one.

    Empty for one of our own. Raises UsageError.
    """
    if text in {"", EMBEDDED}:
        return ""
    url = _split(text)
    if url is None or url.scheme not in ports or url.path.strip("/") or url.query or url.username:
        forms = " or ".join(f"{scheme}://HOST:{port}" for scheme, port in ports.items())
        raise UsageError(f"{option}: {text!r} is no URL of one", f"write {forms}")
    return f"{url.scheme}://{_host(url)}:{url.port or ports[url.scheme]}"


def locket_address(text: str) -> str:
    """HOST:PORT of a Locket that runs elsewhere; empty for our own. Raises UsageError."""
    if text in {"", EMBEDDED}:
        return ""
    url = _split(f"//{text}")
    if url is None or url.path or url.username:
        raise UsageError(f"--locket: {text!r} is no address", f"write HOST:{_LOCKET_PORT}")
    return f"{_host(url)}:{url.port or _LOCKET_PORT}"


def database_url(text: str) -> tuple[str, str]:
    """The URL of a routing database without its password, and the password. Empty for a file of our own. Raises UsageError."""
    if text in {"", EMBEDDED}:
        return "", ""
    try:
        url = urlsplit(text)
        kind, port = url.scheme.partition("+")[0], url.port
    except ValueError:
        kind, port, url = "", None, urlsplit("")
    named = url.path.startswith("//") if kind == "sqlite" else bool(url.hostname) and len(url.path) > 1
    if kind not in _DATABASES or not named:
        raise UsageError(
            f"--routing-database: {text.rsplit('@', 1)[-1]!r} names no database",
            "write mysql://USER:PASSWORD@HOST:3306/NAME, postgresql://USER:PASSWORD@HOST:5432/NAME or sqlite:////FOLDER/FILE",
        )
    user = f"{url.username}@" if url.username else ""
    place = f"{user}{_host(url)}{f':{port}' if port else ''}"
    return f"{kind}://{place}{url.path}", unquote(url.password or "")


def port_range(text: str) -> tuple[int, int] | None:
    """First and last of `1024-1123`, or of one port; None for `0`, which means: some that are free. Raises UsageError."""
    if text == "0":
        return None
    first, dash, last = text.partition("-")
    if not (_is_number(first) and (not dash or _is_number(last))):
        raise _no_range(text, "is no range of ports")
    ends = int(first), int(last or first)
    if not LOWEST_TCP_PORT <= ends[0] <= ends[1] <= HIGHEST_PORT:
        raise _no_range(text, f"is not within {LOWEST_TCP_PORT}-{HIGHEST_PORT}")
    if ends[1] - ends[0] >= MOST_TCP_PORTS:
        raise _no_range(text, f"are more than {MOST_TCP_PORTS} ports")
    return ends


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST_PORT))


def _no_range(text: str, problem: str) -> UsageError:
    return UsageError(f"--tcp-ports: {text!r} {problem}", "for example: --tcp-ports 1024-1123; 0 picks 100 that are free")


def left_out(names: Iterable[str]) -> tuple[str, ...]:
    """The components of `--without`, as `status` spells them; `none` stands for none. Raises UsageError for unknown ones."""
    wanted = [name.lower().replace("-", "_") for name in names]
    if wanted == ["none"]:
        return ()
    for name in wanted:
        if name not in COMPONENTS:
            known = ", ".join(component.replace("_", "-") for component in COMPONENTS)
            raise UsageError(f"--without: there is no component {name.replace('_', '-')!r}", f"one of {known}; or none")
    if len(set(wanted)) == len(COMPONENTS):
        raise UsageError("--without: nothing is left to start")
    return tuple(component for component in COMPONENTS if component in wanted)
