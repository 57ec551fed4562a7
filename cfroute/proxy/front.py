"""A client's connection: requests one after another, each answered before the next is looked at."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

from cfroute.proxy.backend import Backend
from cfroute.proxy.chunked import ChunkedDecoder, ChunkError, last_chunk
from cfroute.proxy.exchange import Exchange, frame_request_body
from cfroute.proxy.head import CHUNKED, BadRequest, RequestHead, parse_request
from cfroute.proxy.headers import Headers
from cfroute.proxy.wire import http_date

if TYPE_CHECKING:
    from cfroute.proxy.server import ProxyServer

_MOST_BUFFERED: Final = 64 * 1024  # pipelined bytes that wait for their turn
_MOST_DISCARDED: Final = 256 * 1024  # of a body that nobody wants, to keep the connection (as Go's server)


class Front(asyncio.Protocol):
    """One client connection.

    peer is the client's address as host and port; tls the TLS object, or None. closing is set once the connection is to
    end after the current exchange.
    """

    __slots__ = (
        "_buffer", "_decoder", "_discarded", "_left", "_paused", "_processing", "_tunnel", "closing", "exchange", "local", "peer",
        "server", "tls", "transport",
    )  # fmt: skip

    transport: asyncio.Transport
    peer: tuple[str, int]
    local: tuple[str, int]
    tls: ssl.SSLObject | None

    def __init__(self, server: "ProxyServer") -> None:
        self.server = server
        self.exchange: Exchange | None = None
        self.closing = False
        self._buffer = b""
        self._left = 0
        self._decoder: ChunkedDecoder | None = None
        self._discarded: int | None = None  # bytes thrown away of the rest of a body; None while none is
        self._tunnel: Backend | None = None
        self._paused = False
        self._processing = False

    def __repr__(self) -> str:
        state = "tunnel" if self._tunnel else "idle" if self.exchange is None else "busy"
        return f"<Front {self.peer[0]}:{self.peer[1]} {state}>"

    # The connection's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or ("", 0)
        self.peer = name[0], name[1]
        local = transport.get_extra_info("sockname") or ("", 0)
        self.local = local[0], local[1]
        self.tls = transport.get_extra_info("ssl_object")
        self.server.connected(self)

    def data_received(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.transport.write(data)
        elif self._left or self._decoder is not None:
            self._body(data)
        else:
            self._buffer = self._buffer + data if self._buffer else data
            if self.exchange is None:
                self._process()
            elif len(self._buffer) > _MOST_BUFFERED:
                self.pause_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = True
        self.server.disconnected(self)
        if self.exchange is not None:
            self.exchange.client_gone()
        tunnel, self._tunnel = self._tunnel, None
        if tunnel is not None:
            tunnel.close()

    def pause_writing(self) -> None:
        backend = self._tunnel or (self.exchange.backend if self.exchange is not None else None)
        if backend is not None:
            backend.pause()

    def resume_writing(self) -> None:
        backend = self._tunnel or (self.exchange.backend if self.exchange is not None else None)
        if backend is not None:
            backend.resume()

    # The exchange's side

    def write(self, data: bytes) -> None:
        """Send bytes to the client."""
        self.transport.write(data)

    def pause_reading(self) -> None:
        """Stop reading from the client: what it sends can't be passed on now."""
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def close(self) -> None:
        """Close once what was written has been sent."""
        self.closing = True
        self.transport.close()

    def become_tunnel(self, backend: Backend) -> None:
        """From here on, pass on whatever comes."""
        self._tunnel = backend
        self.server.tunnelled(self)
        data, self._buffer = self._buffer, b""
        self.resume_reading()
        if data:
            backend.transport.write(data)

    def exchange_over(self, exchange: Exchange) -> None:
        """The response is complete; go on with the next request, or end."""
        self.exchange = None
        if not exchange.keep_alive or self.closing or self._tunnel is not None:
            self._tunnel = None
            self.close()
            return
        if not exchange.body_done:
            self._discarded = 0
        self.server.idle.add(self)
        self.resume_reading()
        self._process()

    @property
    def busy(self) -> bool:
        """Whether a request is being served."""
        return self.exchange is not None and self._tunnel is None

    def head_timed_out(self) -> None:
        """The request's head took too long."""
        if self._buffer:
            self.refuse(BadRequest())
        else:
            self.close()

    # Requests

    def _process(self) -> None:
        """Look at what is buffered, as long as it holds a request and none is being served."""
        if self._processing:  # an exchange that ended at once; the loop below goes on
            return
        self._processing = True
        try:
            while self._buffer and self.exchange is None and not self.closing:
                if self._left or self._decoder is not None:
                    data, self._buffer = self._buffer, b""
                    self._body(data)
                elif not self._next():
                    break
        finally:
            self._processing = False

    def _next(self) -> bool:
        """Begin to serve the request at the start of the buffer; False if it is not complete."""
        server = self.server
        try:
            parsed = parse_request(self._buffer, server.limits.request_head)
            if parsed is None:
                server.head_begun(self)
                return False
            request, used = parsed
            if (at_once := self._answered_by_server(request)) is not None:
                raise at_once
        except BadRequest as refused:
            self.refuse(refused)
            return False
        server.idle.discard(self)
        server.heads.discard(self)
        self._buffer = self._buffer[used:]
        exchange = self.exchange = server.policy.exchange(self, request)
        if request.length == CHUNKED:
            self._decoder = ChunkedDecoder()
        else:
            self._left = request.length
        exchange.start()
        if self._buffer and (self._left or self._decoder is not None):
            data, self._buffer = self._buffer, b""
            self._body(data)
        return True

    def _answered_by_server(self, request: RequestHead) -> BadRequest | None:
        """What Go's server answers before any handler sees the request."""
        expect = request.headers.first(b"Expect")
        if expect and expect.lower() != b"100-continue":
            return BadRequest("417 Expectation Failed", "")
        if request.target == b"*" and request.method == b"OPTIONS":
            self._buffer = b""
            date = http_date(self.server.clock.now())
            self.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: %b\r\nConnection: close\r\n\r\n" % date)
            return BadRequest("", "")
        return None

    def refuse(self, refused: BadRequest) -> None:
        """Say why, and close: what follows on this connection cannot be trusted to be a request."""
        self._buffer = b""
        self.server.refused(self, refused)
        if refused.status:
            self.write(refused.answer())
        self.close()

    # Bodies

    def _body(self, data: bytes) -> None:
        if self._decoder is not None:
            self._chunks(self._decoder, data)
            return
        piece = data[: self._left]
        self._left -= len(piece)
        self._buffer = data[len(piece) :]
        self._pass_on(piece, last=not self._left)

    def _chunks(self, decoder: ChunkedDecoder, data: bytes) -> None:
        try:
            pieces = decoder.feed(data)
        except ChunkError as error:
            self._broken_body(error)
            return
        if decoder.done:
            self._decoder = None
            self._buffer = decoder.rest
        self._pass_on(b"".join(pieces), last=decoder.done)

    def _pass_on(self, piece: bytes, *, last: bool) -> None:
        exchange = self.exchange
        if exchange is None or exchange.status:
            self._discard(len(piece), last=last)
            if exchange is not None and last:
                exchange.body_done = True
            return
        data = frame_request_body(exchange.request, piece) if piece else b""
        if last and exchange.request.length == CHUNKED:
            data += last_chunk(Headers())  # trailers of requests are lost, as upstream loses them
        exchange.request_body(data, last=last, size=len(piece))

    def _discard(self, size: int, *, last: bool) -> None:
        """The response is there already; the rest of the body is read only to get to the next request."""
        if last:
            self._discarded = None
            if self.exchange is None:
                self._process()
            return
        self._discarded = (self._discarded or 0) + size
        if self._discarded > _MOST_DISCARDED:
            self.close()

    def _broken_body(self, error: ChunkError) -> None:
        self._decoder = None
        self.closing = True
        exchange = self.exchange
        if exchange is None:
            self.close()
        elif exchange.status:
            exchange.cut(str(error))
        else:
            exchange.body_broken(str(error))
