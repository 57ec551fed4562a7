"""What an app asks of the egress proxy: CONNECT, or a request with an absolute URL."""

from dataclasses import dataclass
from urllib.parse import urlsplit

PER_HOP = {b"proxy-connection", b"proxy-authorization", b"proxy-authenticate", b"connection", b"keep-alive"}


class BadRequest(Exception):
    """The text says in one line what is wrong."""


@dataclass(frozen=True)
class ProxyRequest:
    """Where the app wants to go. `head` is what to send there first; None asks for a tunnel."""

    host: str
    port: int
    head: bytes | None


def parse(head: bytes) -> ProxyRequest:
    """Read a request head, up to and with its empty line. Raises BadRequest."""
    line, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    parts = line.split(b" ")
    if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise BadRequest("this is no HTTP/1 request")
    method, target, version = parts
    if method == b"CONNECT":
        host, port = _authority(target.decode("latin-1"), None)
        return ProxyRequest(host, port, None)
    host, port, path = _absolute(target.decode("latin-1"))
    kept = [b" ".join((method, path.encode("latin-1"), version)), *_forwarded(fields)]
    return ProxyRequest(host, port, b"\r\n".join(kept) + b"\r\n\r\n")


def _forwarded(fields: list[bytes]) -> list[bytes]:
    """The header without what concerns this hop only; one request a connection, unless it is an upgrade."""
    named = [(field.partition(b":")[0].strip().lower(), field) for field in fields]
    if any(not name or field[:1] in b" \t" for name, field in named):
        raise BadRequest("a header line makes no sense")
    upgrade = any(name == b"upgrade" for name, _ in named)
    kept = [field for name, field in named if name not in PER_HOP]
    return [*kept, b"Connection: Upgrade" if upgrade else b"Connection: close"]


def _absolute(target: str) -> tuple[str, int, str]:
    try:
        url = urlsplit(target)
    except ValueError as error:
        raise BadRequest(f"{target} is no URL") from error
    if url.scheme.lower() not in ("http", "ws") or not url.netloc:
        raise BadRequest("the proxy wants CONNECT, or an absolute http:// URL")
    host, port = _authority(url.netloc.rpartition("@")[2], 80)
    return host, port, (url.path or "/") + (f"?{url.query}" if url.query else "")


def _authority(text: str, default: int | None) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(default or "")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise BadRequest(f"{text} names no port")
    host = host.removeprefix("[").removesuffix("]")
    if not host or any(character in host for character in " /@\\"):
        raise BadRequest(f"{text} names no host")
    return host, int(port)
