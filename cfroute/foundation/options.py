"""What a person decides about a foundation: the options of `up`, which the state folder remembers for the next one."""

import re
from urllib.parse import SplitResult, urlsplit

import msgspec

from cfroute.errors import UsageError

MOST_GOROUTERS = 20
MOST_CELLS = 100
EMBEDDED = "embedded"

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+")
_NATS_PORT = 4222


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of `cfroute up`. A port of 0 means: any that is free.

    nats holds the URLs of an existing cluster, without credentials (those are secrets); empty means a server of our own.
    With route_integrity, Gorouters reach app instances through TLS proxies that prove which instance they belong to.
    """

    domain: str = "cf.localhost"
    http_port: int = 8080
    https_port: int = 8443
    api_port: int = 9022
    single_address: bool = False
    gorouters: int = 1
    cells: int = 1
    nats: tuple[str, ...] = ()
    route_integrity: bool = True

    @property
    def tcp_domain(self) -> str:
        return f"tcp.{self.domain}"


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """What this command line says; None where it says nothing. `nats` may hold credentials."""

    domain: str | None = None
    http_port: int | None = None
    https_port: int | None = None
    api_port: int | None = None
    single_address: bool | None = None
    gorouters: int | None = None
    cells: int | None = None
    nats: str | None = None
    route_integrity: bool | None = None


class Credentials(msgspec.Struct, frozen=True):
    """What an existing NATS cluster wants to know; both empty where it asks for nothing."""

    user: str = ""
    password: str = ""


def merge(remembered: Options, given: Given) -> Options:
    """The remembered options, replaced by those that were given. Raises UsageError for impossible ones."""
    changes = {
        field: value for field in given.__struct_fields__ if field != "nats" and (value := getattr(given, field)) is not None
    }
    if given.nats is not None:
        changes["nats"] = nats_urls(given.nats)[0]
    if given.domain is not None:
        changes["domain"] = given.domain.lower().strip(".")
    options = msgspec.structs.replace(remembered, **changes)
    _check(options)
    return options


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
    try:
        url = urlsplit(text if "://" in text else f"nats://{text}")
        if url.scheme == "nats" and _HOST.fullmatch(url.hostname or "") and url.port != 0:
            return url
    except ValueError:  # a port that is no number, or a bracket too few
        pass
    shown = text.rsplit("@", 1)[-1]
    raise UsageError(f"--nats: {shown!r} is no NATS URL", "write nats://USER:PASSWORD@HOST:4222, or several with commas between")


def _check(options: Options) -> None:
    if len(options.domain) > 200 or not _DOMAIN.fullmatch(options.domain):
        raise UsageError(f"--domain: {options.domain!r} is no domain name", "for example: --domain cf.localhost")
    ports = {"--http-port": options.http_port, "--https-port": options.https_port, "--api-port": options.api_port}
    for option, port in ports.items():
        if not 0 <= port <= 65535:
            raise UsageError(f"{option}: {port} is no port", "ports go from 1 to 65535; 0 picks a free one")
    chosen = [port for port in ports.values() if port]
    if len(set(chosen)) != len(chosen):
        raise UsageError(
            "--http-port, --https-port and --api-port must differ from each other", "0 picks a free port for any of them"
        )
    _within("--gorouters", options.gorouters, MOST_GOROUTERS)
    _within("--cells", options.cells, MOST_CELLS)


def _within(option: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise UsageError(f"{option}: {value} is not between 1 and {most}")
