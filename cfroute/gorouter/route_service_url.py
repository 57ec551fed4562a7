"""The address of a route service, taken apart once."""

from typing import NamedTuple
from urllib.parse import urlsplit


class RouteServiceUrl(NamedTuple):
    """A `route_service_url`: authority is what goes into `Host`, target into the request line."""

    url: str
    scheme: str
    hostname: str
    port: int
    authority: bytes
    target: bytes
    internal: bool = False


def parse(url: str) -> RouteServiceUrl | None:
    """The parts of a URL; None for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    if not parts.hostname or any(character <= " " for character in url):
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authority = parts.netloc.rpartition("@")[2]
    return RouteServiceUrl(url, parts.scheme, parts.hostname, port, authority.encode(), target.encode())
