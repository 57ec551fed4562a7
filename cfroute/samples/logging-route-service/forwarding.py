"""Where a request goes, and the connection that takes it there: through the proxy of the environment, if there is one."""

import http.client
import os
import ssl
import urllib.request
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

TIMEOUT = 60.0  # s, to connect and for each read


class NoTarget(Exception):
    """The request does not say where it is to go; the text is Go's."""


@dataclass(frozen=True)
class Target:
    """An http or https URL, taken apart. `request_target` is what stands in the request line."""

    scheme: str
    host: str
    port: int
    host_header: str
    request_target: str

    @classmethod
    def parse(cls, url: str) -> "Target":
        """Raises NoTarget."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise NoTarget(f'parse "{url}": {error}') from error
        scheme = parts.scheme.lower()
        if scheme not in ("http", "https"):
            raise NoTarget(f'unsupported protocol scheme "{scheme}"')
        if not parts.hostname:
            raise NoTarget("http: no Host in request URL")
        if any(ord(character) <= 32 or ord(character) == 127 for character in url):
            raise NoTarget(f'parse "{url}": net/url: invalid control character in URL')
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        default = 443 if scheme == "https" else 80
        return cls(scheme, parts.hostname, port or default, parts.netloc.rpartition("@")[2], path)


def open_connection(target: Target, *, skip_validation: bool) -> http.client.HTTPConnection:
    """A connection whose next request goes to the target. Raises OSError when it is used."""
    proxy = _proxy(target)
    if target.scheme == "http":
        if proxy is None:
            return http.client.HTTPConnection(target.host, target.port, timeout=TIMEOUT)
        return _ThroughProxy(proxy, target)
    context = _trust(skip_validation)
    if proxy is None:
        return http.client.HTTPSConnection(target.host, target.port, timeout=TIMEOUT, context=context)
    connection = http.client.HTTPSConnection(*proxy, timeout=TIMEOUT, context=context)
    connection.set_tunnel(target.host, target.port)
    return connection


class _ThroughProxy(http.client.HTTPConnection):
    """Plain HTTP through a proxy: the request line has the whole URL."""

    def __init__(self, proxy: tuple[str, int], target: Target) -> None:
        super().__init__(*proxy, timeout=TIMEOUT)
        self._base = f"http://{target.host_header}"

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        super().putrequest(method, self._base + url, skip_host, skip_accept_encoding)


def _proxy(target: Target) -> tuple[str, int] | None:
    if urllib.request.proxy_bypass_environment(target.host):  # type: ignore[attr-defined]
        return None
    url = urllib.request.getproxies_environment().get(target.scheme)  # type: ignore[attr-defined]
    if not url:
        return None
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


@cache
def _trust(skip_validation: bool) -> ssl.SSLContext:
    # Made once: reading a bundle of certificates takes longer than most requests.
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or None)
    if skip_validation:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
