"""Connections to backends, and the idle ones that are kept for the next request."""

import asyncio
import ssl
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from cfroute.clock import Clock, SystemClock
from cfroute.proxy.addresses import is_address, look_up
from cfroute.proxy.chunked import LAST_CHUNK, ChunkedDecoder, ChunkError, chunk
from cfroute.proxy.failure import Failure, Kind, dial_failure, lost_failure
from cfroute.proxy.greeting import secure
from cfroute.proxy.head import CHUNKED, UNTIL_CLOSE, BadResponse, ResponseHead, may_be_complete
from cfroute.proxy.headers import Headers
from cfroute.proxy.keep_alive import probe
from cfroute.proxy.readers import ResponseReader
from cfroute.proxy.sides import BackendSide, RequestLine
from cfroute.proxy.timings import NOT_MEASURED, Stopwatch, Timings
from cfroute.proxy.wire import request_bytes

if TYPE_CHECKING:
    from cfroute.proxy.exchange import Exchange

_BROKEN: Final = "net/http: HTTP/1.x transport connection broken: "
_NO_TRAILERS: Final = Headers()
_TUNNEL: Final = -3  # in place of a body's length


class Destination:
    """One address that requests are sent to, with its idle connections.

    host and port are what is dialled; name is the TLS server name to ask for and to verify, with `context`. At most max_idle
    connections are kept, for idle_seconds; 0 keeps none and asks the backend to close. probe_interval is for `keep_alive.probe`.
    Times in seconds. `kept` is a set that the destination puts itself into whenever it may have idle connections.
    """

    __slots__ = (
        "_kept", "clock", "context", "dial_timeout", "handshake_timeout", "host", "idle", "idle_seconds", "max_idle",
        "name", "port", "probe_interval", "reader", "response_limit",
    )  # fmt: skip

    def __init__(
        self,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext | None = None,
        name: str | None = None,
        max_idle: int = 100,
        idle_seconds: float = 90.0,
        dial_timeout: float = 5.0,
        handshake_timeout: float = 10.0,
        probe_interval: float = 1.0,
        response_limit: int = 10 << 20,
        clock: Clock | None = None,
        kept: "set[Destination] | None" = None,
    ) -> None:
        self._kept = kept if kept is not None else set()
        self.clock = clock or SystemClock()
        self.host = host
        self.port = port
        self.context = context
        self.name = name
        self.max_idle = max_idle
        self.idle_seconds = idle_seconds
        self.dial_timeout = dial_timeout
        self.handshake_timeout = handshake_timeout
        self.probe_interval = probe_interval
        self.response_limit = response_limit
        self.idle: deque[Backend] = deque()
        self.reader = ResponseReader()

    def __repr__(self) -> str:
        return f"<Destination {self.host}:{self.port} idle={len(self.idle)}>"

    def take(self) -> BackendSide | None:
        """An idle connection that is still open, the last used first."""
        idle = self.idle
        while idle:
            backend = idle.pop()
            if not backend.closed:
                return backend
        return None

    def keep(self, backend: "Backend", now: float) -> None:
        """Take back a connection whose exchange is over and which can serve another."""
        if len(self.idle) >= self.max_idle:
            backend.close()
        else:
            backend.idle_since = now
            if not self.idle:
                self._kept.add(self)
            self.idle.append(backend)

    @property
    def without_http2(self) -> "Destination":
        """The same, for a request that asks for an upgrade: only HTTP/1 has those."""
        return self

    def expire(self, now: float) -> None:
        """Close what has been idle for too long."""
        while self.idle and (self.idle[0].closed or now - self.idle[0].idle_since > self.idle_seconds):
            self.idle.popleft().close()
        if not self.idle:
            self._kept.discard(self)

    def close(self) -> None:
        """Close all idle connections."""
        while self.idle:
            self.idle.pop().close()

    async def dial(self) -> BackendSide:
        """A new connection, which knows how long it took to make. Raises Failure, which knows that as well."""
        watch = Stopwatch(self.clock)
        try:
            backend: BackendSide
            backend = connected = await self._connect(watch)
            if self.context is not None:
                with watch.step("tls"):
                    backend = await self._secure(connected, self.context)
        except Failure as failure:
            failure.timings = watch.timings
            raise
        backend.made_in = watch.timings
        return backend

    async def _connect(self, watch: Stopwatch) -> "Backend":
        addresses = [self.host]
        try:
            async with asyncio.timeout(self.dial_timeout if self.dial_timeout > 0 else None):
                if not is_address(self.host):
                    with watch.step("dns"):
                        addresses = await look_up(self.host, self.port)
                with watch.step("dial"):
                    return await self._dial_first(addresses)
        except (OSError, UnicodeError) as error:
            raise dial_failure(error, addresses[0], self.port) from error

    async def _dial_first(self, addresses: list[str]) -> "Backend":
        """A connection to the first address that takes one. Otherwise raises what the first one said."""
        loop = asyncio.get_running_loop()
        first: OSError | None = None
        for address in addresses:
            try:
                transport, made = await loop.create_connection(lambda: Backend(self).protocol(), address, self.port)
                probe(transport.get_extra_info("socket"), self.probe_interval)
                return cast(Backend, made)
            except OSError as error:
                first = first or error
        raise first or OSError(f"{self.host} has no address")

    async def _secure(self, backend: "Backend", context: ssl.SSLContext) -> BackendSide:
        await self._shake_hands(backend, backend.protocol(), context)
        return backend

    async def _shake_hands(self, backend: "Backend", heir: asyncio.Protocol, context: ssl.SSLContext) -> None:
        """Make TLS of a new connection and give it to `heir`. Raises Failure."""
        await secure(backend.transport, heir, context, self.name or self.host, self.handshake_timeout, self.clock.now())


class Backend:
    """One connection to a backend. It serves one exchange at a time; between two it is idle, and any byte then closes it."""

    __slots__ = (
        "_buffer", "_decoder", "_left", "_length", "_lost", "blocked", "closed", "destination", "exchange", "head_seen",
        "idle_since", "made_in", "paused", "preliminary", "requests", "transport",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.exchange: Exchange | None = None
        self.closed = False
        self.paused = False  # whether we stopped reading from it
        self.blocked = False  # whether it does not take what we write
        self.requests = 0
        self.preliminary = 0  # the number of the last request that got a 1xx response
        self.idle_since = 0.0
        self.head_seen = False
        self._buffer = b""
        self._length = 0
        self._left = 0
        self._decoder: ChunkedDecoder | None = None
        self._lost: Exception | None = None  # what ended it
        self.made_in = NOT_MEASURED

    def __repr__(self) -> str:
        state = "closed" if self.closed else "idle" if self.exchange is None else "busy"
        return f"<Backend {self.destination.host}:{self.destination.port} {state} requests={self.requests}>"

    def protocol(self) -> asyncio.Protocol:
        """This, as the event loop wants to have it. To derive from asyncio.Protocol would keep it from being compiled."""
        return cast(asyncio.Protocol, self)

    # The exchange's side

    def send(self, exchange: "Exchange", line: RequestLine, body: list[bytes] | None) -> None:
        """Begin to serve `exchange`: its request, and what there is of the body."""
        self.exchange = exchange
        self.requests += 1
        self.head_seen = False
        request = exchange.request
        data = request_bytes(request, line)
        if request.length:
            piece = b"".join(body) if body else b""
            data += _chunks(piece, last=exchange.body_done) if request.length == CHUNKED else piece
        self.transport.write(data)

    def body(self, data: bytes, *, last: bool) -> None:
        """Send a piece of the request's body."""
        exchange = self.exchange
        if exchange is not None and exchange.request.length == CHUNKED:
            data = _chunks(data, last=last)
        self.transport.write(data)

    @property
    def took_all(self) -> bool:
        """Whether no byte of the request waits to be sent: the next request would queue up behind it."""
        return not self.transport.get_write_buffer_size()

    def release(self, now: float) -> None:
        """The exchange is over and the connection can serve another."""
        self.exchange = None
        if self.paused:
            self.resume()
        self.destination.keep(self, now)

    def close(self) -> None:
        """Cut the connection; nothing more is heard from it."""
        self.exchange = None
        self.closed = True
        self.transport.abort()

    def end(self) -> None:
        """Close the connection once it has taken what was written; nothing more is heard from it."""
        self.exchange = None
        self.closed = True
        self.transport.close()

    def pause(self) -> None:
        """Stop reading: the client takes the response more slowly than it comes."""
        if not self.paused and not self.closed:
            self.paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.paused and not self.closed:
            self.paused = False
            self.transport.resume_reading()

    # The connection's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:
            self.close()
            return
        try:
            if self.head_seen:
                self._body(exchange, data)
            else:
                self._head(exchange, data)
        except Exception as defect:
            exchange.panicked(defect)

    def _head(self, exchange: "Exchange", data: bytes) -> None:
        to, seen = self.destination, len(self._buffer)
        data, self._buffer = self._buffer + data if seen else data, b""
        try:
            while True:
                look = not seen or may_be_complete(data, seen, to.response_limit)
                parsed = to.reader.read(data, to.response_limit, exchange.request.method) if look else None
                if parsed is None:
                    self._buffer = data
                    return
                head, used = parsed
                data, seen = data[used:], 0
                if not 100 <= head.status < 200 or head.status == 101:
                    break
                self.preliminary = self.requests
                if not exchange.informational(head):
                    raise BadResponse("net/http: too many 1xx informational responses")
        except BadResponse as bad:
            exchange.attempt_failed(Failure(Kind.MALFORMED, _BROKEN + str(bad), True, True, self.requests > 1))
            return
        self._start_body(exchange, head, data)

    def _start_body(self, exchange: "Exchange", head: ResponseHead, data: bytes) -> None:
        self.head_seen = True
        length = self._length = _TUNNEL if head.status == 101 else head.length
        if length == CHUNKED:
            self._decoder = ChunkedDecoder()
        if length >= 0 and len(data) >= length:  # all of it is here: the common case
            exchange.responded(head, data[:length], ended=True, clean=len(data) == length)
            return
        self._left = length
        if exchange.responded(head, b"" if length == CHUNKED else data, ended=False):
            if length > 0:
                self._left -= len(data)
            elif length == CHUNKED and data:
                self._body(exchange, data)

    def _body(self, exchange: "Exchange", data: bytes) -> None:
        if self._length > 0:
            self._left -= len(data)
            if self._left > 0:
                exchange.body(data)
            else:
                exchange.body(data if self._left == 0 else data[: self._left])
                exchange.ended(_NO_TRAILERS, clean=self._left == 0)
        elif self._length == CHUNKED:
            self._chunks(exchange, data)
        elif self._length == _TUNNEL:
            exchange.front.body(data)
        else:
            exchange.body(data)

    def _chunks(self, exchange: "Exchange", data: bytes) -> None:
        decoder = self._decoder
        assert decoder is not None
        try:
            pieces = decoder.feed(data)
        except ChunkError as error:
            exchange.cut(str(error))
            return
        if pieces:
            exchange.body(b"".join(pieces))
        if decoder.done:
            self._decoder = None
            exchange.ended(decoder.trailers, clean=not decoder.rest)

    def eof_received(self) -> bool:
        if self.exchange is None:
            self.closed = True  # at once: an exchange that begins before connection_lost comes must not take it
        return False  # close; connection_lost says the rest

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._lost = exc
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        if self.head_seen:
            if self._length <= UNTIL_CLOSE and exc is None:
                exchange.ended(_NO_TRAILERS, clean=False)
            else:
                exchange.cut("unexpected EOF" if exc is None else str(exc))
            return
        exchange.attempt_failed(self.failure())

    def failure(self) -> Failure:
        """Why the connection was lost before there was a response."""
        begun = self._buffer or self.preliminary == self.requests > 0
        if begun and self._lost is None:
            failure = Failure(Kind.OTHER, f"{_BROKEN}unexpected EOF", got_connection=True)
        else:
            failure = lost_failure(self._lost, self.addresses)
        failure.wrote_headers = self.requests > 0
        failure.reused = self.requests > 1
        failure.timings = self.timings
        return failure

    @property
    def timings(self) -> Timings:
        """What it took to get the connection for the present request: nothing for one that was kept."""
        made = self.made_in if self.requests < 2 else NOT_MEASURED
        local = self.transport.get_extra_info("sockname") or ("", 0)
        return made._replace(local=f"{local[0]}:{local[1]}")

    @property
    def addresses(self) -> str:
        """Our end and the other, as Go's messages have them."""
        local = self.transport.get_extra_info("sockname") or ("", 0)
        return f"{local[0]}:{local[1]}->{self.destination.host}:{self.destination.port}"

    def pause_writing(self) -> None:
        self.blocked = True
        if self.exchange is not None:
            self.exchange.front.pause_reading()

    def resume_writing(self) -> None:
        self.blocked = False
        if self.exchange is not None:
            self.exchange.front.resume_reading()


def _chunks(data: bytes, *, last: bool) -> bytes:
    """A piece of a body in the chunked coding. Trailers of requests are lost, as upstream loses them."""
    piece = chunk(data) if data else b""
    return piece + LAST_CHUNK if last else piece
