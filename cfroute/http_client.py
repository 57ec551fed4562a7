"""How components ask each other over HTTP/1.1: kept connections, bodies that are streamed in both directions.

A thin layer of asyncio over h11, which does the protocol. httpx does all this and much more, for 4 MB in every process.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import h11

from cfroute.errors import CfrouteError
from cfroute.resolver import Mapping, resolve

_CHUNK = 256 * 1024  # bytes read at a time
_KEPT = 8  # idle connections
_KEPT_FOR = 4.0  # seconds: our servers hang up after 5, and a request must not cross that on its way

Headers = Sequence[tuple[str, str]]


class Unreachable(CfrouteError):
    """There is no answer, or not the whole of it: nobody listens, somebody hung up, or it took too long."""


class Interrupted(Unreachable):
    """The connection was there, and ended before the whole answer: nobody knows what the other side has done."""


class TimedOut(Unreachable):
    """It took too long: nobody knows what the other side has done."""


class Response:
    """The answer to one request: its status, its headers (names in lower case), and a body that is still to be read."""

    def __init__(self, what: str, head: h11.Response, connection: "_Connection") -> None:
        self.status = head.status_code
        self.headers = [(name.decode(), value.decode("latin-1")) for name, value in head.headers]
        self._what = what
        self._connection = connection

    @property
    def is_error(self) -> bool:
        return self.status >= 400

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes. Raises Unreachable when it ends too early."""
        while chunk := await self._next():
            yield chunk

    async def read(self) -> bytes:
        """The whole body. Raises Unreachable."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def _next(self) -> bytes:
        with _told(self._what, Interrupted):
            event = await self._connection.next_event()
        return bytes(event.data) if isinstance(event, h11.Data) else b""


class Client:
    """Asks any number of servers.

    `timeout` is how many seconds may pass without anything happening. Names in `known_names` are dialled where that says.
    """

    def __init__(self, context: ssl.SSLContext | None, timeout: float, known_names: Sequence[Mapping] = ()) -> None:
        self._context = context
        self._timeout = timeout
        self._known_names = known_names
        self._idle: list[_Connection] = []

    async def request(self, method: str, url: str, body: bytes = b"", headers: Headers = ()) -> tuple[int, bytes]:
        """Status and body of the answer. Raises Unreachable."""
        async with self.stream(method, url, body, headers=headers) as response:
            return response.status, await response.read()

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        body: bytes | AsyncIterator[bytes] = b"",
        *,
        length: int | None = None,
        timeout: float | None = None,
        headers: Headers = (),
    ) -> AsyncIterator[Response]:
        """The answer when its head is there; its body is read inside of the block. Raises Unreachable.

        A body that is made while it is sent has `length` bytes. `timeout` overrides the client's. `headers` are sent besides
        `Host` and `Content-Length`.
        """
        what = f"{method} {url}"
        with _told(what):
            head, place = _request(method, url, len(body) if isinstance(body, bytes) else length, headers)
            connection = await self._connected(place)
        connection.timeout = self._timeout if timeout is None else timeout
        try:
            with _told(what, Interrupted):
                answer = await connection.ask(head, body)
            yield Response(what, answer, connection)
            self._keep(connection)
        finally:
            if connection not in self._idle:
                connection.abort()

    async def aclose(self) -> None:
        """Close the connections that wait for a next request."""
        while self._idle:
            self._idle.pop().abort()

    async def _connected(self, place: "_Place") -> "_Connection":
        now = asyncio.get_running_loop().time()
        for connection in [each for each in self._idle if each.place == place]:
            self._idle.remove(connection)
            if connection.fresh(now):
                return connection
            connection.abort()
        host, port = resolve(self._known_names, place.host, place.port)
        secure: dict[str, Any] = {"ssl": self._context, "server_hostname": place.host} if place.tls else {}
        async with asyncio.timeout(self._timeout):
            streams = await asyncio.open_connection(host, port, **secure)
        return _Connection(place, *streams)

    def _keep(self, connection: "_Connection") -> None:
        if connection.reusable() and len(self._idle) < _KEPT:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)


class _Place(NamedTuple):
    host: str
    port: int
    tls: bool


def _request(method: str, url: str, size: int | None, more: Headers) -> tuple[h11.Request, _Place]:
    """What to send, and where to. Raises ValueError or h11.ProtocolError for an unusable URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no URL of a server")
    tls = parts.scheme == "https"
    place = _Place(parts.hostname, parts.port or (443 if tls else 80), tls)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [("Host", parts.netloc), ("Content-Length", str(size or 0)), *more]
    return h11.Request(method=method, target=target, headers=headers), place


class _Connection:
    """One connection, with one request on it at a time."""

    def __init__(self, place: _Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.place = place
        self.timeout = 0.0
        self.idle_since = 0.0
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT)

    def fresh(self, now: float) -> bool:
        """Whether the server still has it, as far as can be told."""
        return now - self.idle_since < _KEPT_FOR and not self._reader.at_eof() and not self._writer.is_closing()

    async def ask(self, head: h11.Request, body: bytes | AsyncIterator[bytes]) -> h11.Response:
        """Send a request; the head of the answer, once it is there."""
        await self._send(head)
        if isinstance(body, bytes):
            await self._send(h11.Data(body))
        else:
            async for chunk in body:
                await self._send(h11.Data(chunk))
        await self._send(h11.EndOfMessage())
        while isinstance(event := await self.next_event(), h11.InformationalResponse):
            continue
        assert isinstance(event, h11.Response)
        return event

    async def _send(self, event: Any) -> None:
        self._writer.write(self._protocol.send(event) or b"")
        async with asyncio.timeout(self.timeout):
            await self._writer.drain()

    async def next_event(self) -> Any:
        """What the server says next. Raises h11.RemoteProtocolError for nonsense, and for an end that comes too early."""
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(self.timeout):
                data = await self._reader.read(_CHUNK)
            if not data and self._protocol.their_state is h11.SEND_RESPONSE:
                raise ConnectionError("hung up without an answer")
            self._protocol.receive_data(data)
        return event

    def reusable(self) -> bool:
        """Make it ready for the next request, if it can take one."""
        if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
            return False
        self._protocol.start_next_cycle()
        return True

    def abort(self) -> None:
        self._writer.transport.abort()


@contextlib.contextmanager
def _told(what: str, failure: type[Unreachable] = Unreachable) -> Iterator[None]:
    """Failures of the connection as `failure`, with what was tried. (A timeout, and what TLS complains of, are OSErrors.)"""
    try:
        yield
    except (OSError, ValueError, h11.ProtocolError) as error:
        if isinstance(error, TimeoutError) and not error.args:
            raise TimedOut(f"{what}: no answer in time") from error
        raise failure(f"{what}: {str(error) or type(error).__name__}") from error
