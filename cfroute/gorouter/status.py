"""The router's own small listeners: health, and the routing table.

    status.port          /health, /is-process-alive-do-not-use-for-loadbalancing
    status.tls.port      the same over TLS, where a certificate is configured
    status.routes.port   /routes and /cfroute/table, with Basic authentication

They answer with what Go's server would send. A web framework would cost more time and memory at the start than all of this.
"""

import asyncio
import base64
import binascii
import hmac
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Final, NamedTuple, Protocol
from urllib.parse import parse_qs

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.gorouter import table
from cfroute.gorouter.config import Config
from cfroute.gorouter.registry import Registry
from cfroute.gorouter.tls import status_context
from cfroute.proxy.status import status_line
from cfroute.proxy.wire import http_date

_MOST_HEAD: Final = 64 * 1024
_HEAD_TIMEOUT: Final = 60.0  # seconds
_SAMPLE_EVERY: Final = 1.0
_TEXT: Final = b"Content-Type: text/plain; charset=utf-8\r\n"
_UNCACHED: Final = b"Cache-Control: private, max-age=0\r\nExpires: 0\r\n"
_ROUTES: Final = ("/routes", "/cfroute/table")
_ALIVE: Final = "/is-process-alive-do-not-use-for-loadbalancing"


class Health(Protocol):
    """Whether the router wants traffic."""

    @property
    def healthy(self) -> bool: ...


class _Request(NamedTuple):
    method: str
    path: str
    query: str
    version: str
    headers: dict[str, str]

    @property
    def keeps_alive(self) -> bool:
        """A request with a body is answered, too, but ends the connection: nothing here reads bodies."""
        if self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers:
            return False
        return self.version == "HTTP/1.1" and self.headers.get("connection", "").lower() != "close"


class _Answer(NamedTuple):
    """`first` are the headers that stand before `Date`; `pieces` is a long body that is made while it is sent."""

    status: int
    body: bytes = b""
    first: bytes = b""
    last: bytes = b""
    pieces: Iterator[bytes] | None = None


_NOT_FOUND: Final = _Answer(404, b"404 page not found\n", b"X-Content-Type-Options: nosniff\r\n", _TEXT)
_UNAUTHORIZED: Final = _Answer(401, b"401 Unauthorized\n", b"Www-Authenticate: Basic\r\n", _TEXT)
_HEALTHY: Final = _Answer(200, b"ok\n", _UNCACHED, _TEXT)
_UNHEALTHY: Final = _Answer(503, b"", _UNCACHED)
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\n" + _TEXT + b"Connection: close\r\n\r\n400 Bad Request"


class StatusListeners:
    """The listeners of one router, and the sampling of its counters."""

    def __init__(self, config: Config, registry: Registry, health: Health, clock: Clock) -> None:
        self._config = config
        self._registry = registry
        self._health = health
        self._clock = clock
        self._rates = table.Rates()
        self._credentials = f"{config.status.user}:{config.status.password}".encode()
        self._servers: list[asyncio.Server] = []
        self._sampling: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the listeners that are configured. Raises OSError."""
        status = self._config.status
        if status.enable_nontls_health_checks:
            await self._listen(status.port, self._answer_health)
        if status.tls.certificate:
            await self._listen(status.tls.port, self._answer_health, status_context(self._config))
        await self._listen(status.routes.port, self._answer_routes)
        self._sampling = spawn(self._sample_for_ever(), name="sample the request counters")

    @property
    def ports(self) -> list[int]:
        """The ports that are listened on, in the order above."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def close(self) -> None:
        """Stop listening, and end the connections that are there."""
        for server in self._servers:
            server.close()
        ending = [*self._connections, *([self._sampling] if self._sampling else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _sample_for_ever(self) -> None:
        while True:
            for _ in self._rates.sample(list(self._registry), self._clock.monotonic()):
                await self._clock.sleep(0)
            await self._clock.sleep(_SAMPLE_EVERY)

    # What is answered

    def _answer_health(self, request: _Request) -> _Answer:
        if request.path == "/health":
            return _HEALTHY if self._health.healthy else _UNHEALTHY
        if self._config.cfroute.routes_on_status_port and request.path in _ROUTES:
            return self._answer_routes(request)
        return _HEALTHY if request.path == _ALIVE else _NOT_FOUND

    def _answer_routes(self, request: _Request) -> _Answer:
        if not self._authorized(request.headers.get("authorization", "")):
            return _UNAUTHORIZED
        json = b"Connection: close\r\nContent-Type: application/json\r\n"
        if request.path == "/routes":
            return _Answer(200, first=json, pieces=table.upstream_routes(self._registry))
        if request.path == "/cfroute/table":
            return _Answer(200, first=json, pieces=self._table(request.query))
        return _NOT_FOUND

    def _table(self, query: str) -> Iterator[bytes]:
        """The table, or with `?prefix=` only the routes that begin with it."""
        prefix = parse_qs(query).get("prefix", [""])[-1].lower()
        pools = [pool for pool in self._registry if pool.uri.startswith(prefix)]
        name = f"gorouter/{self._config.index}"
        return table.table(name, self._clock.now(), pools, self._rates, self._clock.monotonic())

    def _authorized(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._credentials)

    # How

    async def _listen(self, port: int, answer: "_Responder", context: ssl.SSLContext | None = None) -> None:
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

        host = self._config.cfroute.address
        server = await asyncio.start_server(serve, host, port, ssl=context, limit=_MOST_HEAD)
        self._servers.append(server)


class _Responder(Protocol):
    def __call__(self, request: _Request) -> _Answer: ...


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: _Responder, clock: Clock) -> None:
    """Answer the requests of one connection, one after the other."""
    async for request in _requests(reader, writer):
        given = answer(request)
        keeps_alive = request.keeps_alive and given.pieces is None
        head = status_line(request.version.encode(), given.status) + given.first + b"Date: %b\r\n" % http_date(clock.now())
        if given.pieces is None:
            head += b"Content-Length: %d\r\n" % len(given.body) + given.last
            head += b"" if keeps_alive else b"Connection: close\r\n"
            writer.write(head + b"\r\n" + (b"" if request.method == "HEAD" else given.body))
        else:
            await _send_pieces(writer, head, given.pieces, request, clock)
        await writer.drain()
        if not keeps_alive:
            return


async def _send_pieces(
    writer: asyncio.StreamWriter, head: bytes, pieces: Iterator[bytes], request: _Request, clock: Clock
) -> None:
    """A body of unknown length: chunked, or for HTTP/1.0 up to the end of the connection."""
    chunked = request.version == "HTTP/1.1"
    writer.write(head + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n"))
    if request.method == "HEAD":
        return
    for piece in pieces:
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await writer.drain()
        await clock.sleep(0)
    if chunked:
        writer.write(b"0\r\n\r\n")


async def _requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[_Request]:
    while True:
        async with asyncio.timeout(_HEAD_TIMEOUT):
            head = await reader.readuntil(b"\r\n\r\n")
        request = _parse(head.decode("latin-1"))
        if request is None:
            writer.write(_BAD_REQUEST)
            return
        yield request


def _parse(head: str) -> _Request | None:
    line, *fields = head[:-4].split("\r\n")
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.0", "HTTP/1.1"):
        return None
    path, _, query = parts[1].partition("?")
    pairs = (field.partition(":") for field in fields)
    return _Request(parts[0], path, query, parts[2], {name.lower(): value.strip() for name, _, value in pairs})
