"""A small HTTP server for the router's own pages: health, routes, metrics, debugging.

It answers with what Go's server would send. A web framework would cost more time and memory at the start than all of this.
"""

import asyncio
import base64
import binascii
import hmac
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final, NamedTuple

from cfroute.clock import Clock
from cfroute.gorouter.listening import cannot_listen
from cfroute.proxy.status import status_line
from cfroute.proxy.wire import http_date

_MOST_HEAD: Final = 64 * 1024
_MOST_BODY: Final = 1024  # bytes: what a page may want to read is a word
_HEAD_TIMEOUT: Final = 60.0  # seconds
TEXT: Final = b"Content-Type: text/plain; charset=utf-8\r\n"


class Request(NamedTuple):
    """A request; `body` is what it says if that is short, `unread` tells that there is more which nobody will read."""

    method: str
    path: str
    query: str
    version: str
    headers: dict[str, str]
    body: bytes = b""
    unread: bool = False

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can serve another request."""
        return not self.unread and self.version == "HTTP/1.1" and self.headers.get("connection", "").lower() != "close"


class Answer(NamedTuple):
    """`first` are the headers that stand before `Date`; `pieces` is a long body that is made while it is sent.

    `Connection: close` among the first headers, as upstream's pages have it, ends the connection.
    """

    status: int
    body: bytes = b""
    first: bytes = b""
    last: bytes = b""
    pieces: Iterator[bytes] | None = None


Responder = Callable[[Request], Answer | Awaitable[Answer]]

NOT_FOUND: Final = Answer(404, b"404 page not found\n", b"X-Content-Type-Options: nosniff\r\n", TEXT)
UNAUTHORIZED: Final = Answer(401, b"401 Unauthorized\n", b"Www-Authenticate: Basic\r\n", TEXT)
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\n" + TEXT + b"Connection: close\r\n\r\n400 Bad Request"


class Pages:
    """Listeners with a function each that answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def ports(self) -> list[int]:
        """The ports that are listened on, in the order of the calls of `listen`."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def listen(self, host: str, port: int, answer: Responder, context: ssl.SSLContext | None = None) -> int:
        """Answer there, or everywhere if `host` is empty; returns the port (the one picked, if it is 0). Raises CannotListen."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            try:
                await _serve(reader, writer, answer, self._clock)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                return  # the client has gone or is too slow: there is nobody to tell
            finally:
                self._connections.discard(task)
                writer.close()

        try:
            server = await asyncio.start_server(serve, host, port, ssl=context, limit=_MOST_HEAD)
        except OSError as error:
            raise cannot_listen(host, port, error) from error
        self._servers.append(server)
        return self.ports[-1]

    async def close(self) -> None:
        """Stop listening, and end the connections that are there."""
        for server in self._servers:
            server.close()
        ending = list(self._connections)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


def authorized(request: Request, credentials: bytes) -> bool:
    """Whether the request shows these `user:password` by Basic authentication."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, credentials)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Responder, clock: Clock) -> None:
    """Answer the requests of one connection, one after the other."""
    async for request in _requests(reader, writer):
        given = answer(request)
        if not isinstance(given, Answer):
            given = await given
        announced = b"Connection: close" in given.first
        keeps_alive = request.keeps_alive and not announced
        head = status_line(request.version.encode(), given.status) + given.first + b"Date: %b\r\n" % http_date(clock.now())
        if given.pieces is None:
            head += b"Content-Length: %d\r\n" % len(given.body) + given.last
            head += b"" if keeps_alive or announced else b"Connection: close\r\n"
            writer.write(head + b"\r\n" + (b"" if request.method == "HEAD" else given.body))
        else:
            await _send_pieces(writer, head, given.pieces, request, clock)
        await writer.drain()
        if not keeps_alive:
            return


async def _send_pieces(
    writer: asyncio.StreamWriter, head: bytes, pieces: Iterator[bytes], request: Request, clock: Clock
) -> None:
    """A body of unknown length: chunked, or for HTTP/1.0 up to the end of the connection."""
    chunked = request.version == "HTTP/1.1"
    writer.write(head + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n"))
    if request.method == "HEAD":
        return
    for piece in pieces:
        if piece:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
        await clock.sleep(0)
    if chunked:
        writer.write(b"0\r\n\r\n")


async def _requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[Request]:
    while True:
        async with asyncio.timeout(_HEAD_TIMEOUT):
            head = await reader.readuntil(b"\r\n\r\n")
            request = _parse(head.decode("latin-1"))
            if request is None:
                writer.write(_BAD_REQUEST)
                return
            request = await _with_body(request, reader)
        yield request


async def _with_body(request: Request, reader: asyncio.StreamReader) -> Request:
    """The request with its body, if that is announced to be short."""
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not length.isdecimal() or len(length) > 9 or int(length) > _MOST_BODY:
        return request._replace(unread=True)
    return request._replace(body=await reader.readexactly(int(length))) if length != "0" else request


def _parse(head: str) -> Request | None:
    line, *fields = head[:-4].split("\r\n")
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.0", "HTTP/1.1"):
        return None
    path, _, query = parts[1].partition("?")
    pairs = (field.partition(":") for field in fields)
    return Request(parts[0], path, query, parts[2], {name.lower(): value.strip() for name, _, value in pairs})
