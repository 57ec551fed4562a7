"""Handing a request on, and its answer back: bodies stream, and a connection that is upgraded becomes a pipe."""

import http.client
import os
import ssl
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BufferedIOBase
from typing import Any
from urllib.parse import quote, urlsplit

from cfroute_broker.serving import PIECE, Handler, close

TIMEOUT = 60.0  # s, to connect and for each read
# RFC 9110, 7.6.1: they belong to one connection, and are not forwarded
PER_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
_ASCII = bytes(range(0x21, 0x7F)).decode()


class NoTarget(Exception):
    """The URL says not where to go."""


@dataclass(frozen=True)
class Target:
    """Where a request goes: the connection's end, and what stands in the request line and in Host."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str

    @classmethod
    def parse(cls, url: str) -> "Target":
        """Raises NoTarget."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise NoTarget(f"{url!r} is no URL: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoTarget(f"{url!r} is no http or https URL")
        if any(ord(character) <= 32 or ord(character) >= 127 for character in url):
            raise NoTarget(f"{url!r} has characters that no URL can have")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        authority = parts.netloc.rpartition("@")[2]
        return cls(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), authority, path)


def connect(target: Target, *, skip_validation: bool) -> http.client.HTTPConnection:
    """A connection to the target, through the proxy of the environment if there is one. Raises OSError when it is used.

    The names below .localhost are this machine, whether or not its resolver knows that (RFC 6761).
    """
    context = _trust(skip_validation) if target.scheme == "https" else None
    proxy = urllib.request.getproxies_environment().get(target.scheme)
    if proxy and not urllib.request.proxy_bypass_environment(target.host):  # type: ignore[attr-defined]
        through = urlsplit(proxy)
        place = through.hostname or "", through.port or 80
        connection = _made(place, context)
        connection.set_tunnel(target.host, target.port)
        return connection
    if target.host.endswith(".localhost"):
        return _Named(target.host, target.port, context) if context else _made(("127.0.0.1", target.port), None)
    return _made((target.host, target.port), context)


def _made(place: tuple[str, int], context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if context is None:
        return http.client.HTTPConnection(*place, timeout=TIMEOUT)
    return http.client.HTTPSConnection(*place, timeout=TIMEOUT, context=context)


class _Named(http.client.HTTPConnection):
    """TLS to this machine under a name of its own."""

    def __init__(self, name: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__("127.0.0.1", port, timeout=TIMEOUT)
        self._name, self._context = name, context

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)


@cache
def _trust(skip_validation: bool) -> ssl.SSLContext:
    # Made once: reading a bundle of certificates takes longer than most requests.
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or None)
    if skip_validation:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def forward(
    handler: Handler,
    connection: http.client.HTTPConnection,
    target: Target,
    *,
    headers: Mapping[str, str] | None = None,
    answer_headers: Mapping[str, str] | None = None,
) -> None:
    """Send the handler's request to the target, and the target's answer to the client.

    headers and answer_headers take the place of those of the same name, or come in addition. What goes wrong before the
    answer began is raised: OSError, http.client.HTTPException; later it can only end the connection.
    """
    try:
        _send(handler, connection, target, headers or {})
        response = connection.getresponse()
        try:
            _answer(handler, connection, response, answer_headers or {})
        except (OSError, http.client.HTTPException):
            handler.close_connection = True
    finally:
        connection.close()


def _send(handler: Handler, connection: http.client.HTTPConnection, target: Target, changes: Mapping[str, str]) -> None:
    # http.server reads bytes as Latin-1, and http.client writes only ASCII: the same bytes, escaped
    path = quote(target.path, safe=_ASCII, encoding="latin-1")
    connection.putrequest(handler.command, path, skip_host=True, skip_accept_encoding=True)
    way = [*handler.headers.get_all("X-Forwarded-For", []), handler.client_address[0]]
    extra = {"Host": target.authority, "X-Forwarded-For": ", ".join(way)} | dict(changes)
    if upgrade := handler.headers.get("Upgrade"):
        extra |= {"Connection": "Upgrade", "Upgrade": upgrade}
    if handler.chunked:
        extra["Transfer-Encoding"] = "chunked"
    elif length := handler.headers.get("Content-Length"):
        extra["Content-Length"] = length
    # One way of telling the length goes on, the one that the body was read by (RFC 9112, 6.3).
    replaced = PER_HOP | {"content-length"} | {name.lower() for name in extra}
    kept = [(name, value) for name, value in handler.headers.items() if name.lower() not in replaced]
    for name, value in [*extra.items(), *kept]:
        connection.putheader(name, value)
    connection.endheaders(handler.pieces() if handler.unread else None, encode_chunked=handler.chunked)


def _answer(
    handler: Handler, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, changes: Mapping[str, str]
) -> None:
    upgraded = response.status == 101
    bodiless = handler.command == "HEAD" or response.status in (204, 304) or upgraded
    replaced = {name.lower() for name in changes} | (set() if upgraded else PER_HOP)
    kept = [(name, value) for name, value in response.getheaders() if name.lower() not in replaced]
    unsized = not bodiless and response.getheader("Content-Length") is None
    chunked = unsized and handler.request_version != "HTTP/1.0"
    handler.send_response_only(response.status, response.reason)
    for name, value in [*kept, *changes.items()]:
        handler.send_header(name, value)
    if chunked:
        handler.send_header("Transfer-Encoding", "chunked")
    elif unsized:
        handler.send_header("Connection", "close")  # which also has the server close it
    handler.end_headers()
    if upgraded:
        _pipe(handler, connection, response)
    elif not bodiless:
        while piece := response.read1(PIECE):
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            handler.wfile.write(b"0\r\n\r\n")


def _pipe(handler: Handler, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
    """Both ways, until both ends have had enough."""
    handler.close_connection = True
    ours, other = handler.connection, connection.sock
    ours.settimeout(None)
    other.settimeout(None)
    ends = (ours, other)

    def copy(reading: BufferedIOBase, writing: Any) -> None:
        try:
            while data := reading.read1(PIECE):
                writing.write(data)
        except OSError:
            return  # one side is gone; the other is told below
        finally:
            for end in ends:
                close(end)

    back = threading.Thread(target=copy, args=(response.fp, handler.wfile), daemon=True)
    back.start()
    copy(handler.rfile, other.makefile("wb", 0))
    back.join()
