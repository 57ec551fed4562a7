"""A client's connection: requests one after another, each answered before the next is looked at."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Backend
from cfroute.proxy.chunked import LAST_CHUNK, ChunkedDecoder, ChunkError, chunk, last_chunk
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.head import CHUNKED, BadRequest, RequestHead, ResponseHead, may_be_complete
from cfroute.proxy.headers import Headers
from cfroute.proxy.held import MOST_DISCARDED, HeldResponse
from cfroute.proxy.readers import RequestReader
from cfroute.proxy.sides import BackendSide
from cfroute.proxy.status import status_line
from cfroute.proxy.wire import address, answer_bytes, options_bytes, response_bytes

if TYPE_CHECKING:
    from cfroute.proxy.server import ProxyServer

_MOST_BUFFERED: Final = 64 * 1024  # pipelined bytes that wait for their turn
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINGER: Final = 0.5  # seconds that a client gets to read the last response before its unread bytes make the kernel reset all


class Front:
    """One client connection.

    peer is the client's address as host and port, client the same as text; tls the TLS object, or None. closing is set once the
    connection is to end after the current exchange.
    """

    __slots__ = (
        "_blocked", "_buffer", "_chunked", "_decoder", "_discarded", "_held", "_left", "_paused", "_processing", "_reader",
        "_tunnel", "client", "closing", "exchange", "local", "peer", "server", "tls", "transport",
    )  # fmt: skip

    transport: asyncio.Transport
    peer: tuple[str, int]
    client: bytes
    local: tuple[str, int]
    tls: ssl.SSLObject | None

    def __init__(self, server: "ProxyServer") -> None:
        self.server = server
        self.exchange: Exchange | None = None
        self.closing = False
        self._buffer = b""
        self._left = 0
        self._decoder: ChunkedDecoder | None = None
        self._discarded = 0  # bytes thrown away of the rest of the last request's body
        self._held: HeldResponse | None = None
        self._tunnel: Backend | None = None
        self._chunked = False  # whether the response goes out in the chunked coding
        self._paused = False  # whether we stopped reading from the client
        self._blocked = False  # whether the client does not take what we write
        self._processing = False
        self._reader = RequestReader()

    def __repr__(self) -> str:
        state = "tunnel" if self._tunnel else "idle" if self.exchange is None else "busy"
        return f"<Front {self.peer[0]}:{self.peer[1]} {state}>"

    def protocol(self) -> asyncio.Protocol:
        """This, as the event loop wants to have it. To derive from asyncio.Protocol would keep it from being compiled."""
        return cast(asyncio.Protocol, self)

    # The connection's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or ("", 0)
        self.peer = name[0], name[1]
        self.client = address(*self.peer).encode()
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
            seen = len(self._buffer)
            self._buffer = self._buffer + data if seen else data
            if self.exchange is None and not self._blocked:
                if not seen or may_be_complete(self._buffer, seen, self.server.limits.request_head):
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

    def pause_writing(self) -> None:
        self._blocked = True
        if self.exchange is not None and self.exchange.backend is not None:
            self.exchange.backend.pause()

    def resume_writing(self) -> None:
        self._blocked = False
        if self.exchange is not None:
            if self.exchange.backend is not None:
                self.exchange.backend.resume()
        elif not self.closing:
            self.resume_reading()
            self._process()

    # The exchange's side

    def respond(self, exchange: Exchange, head: ResponseHead, body: bytes, ended: bool) -> None:
        """Send the response's head and the begin of its body."""
        request = exchange.request
        chunked = self._chunked = head.length < 0 and request.version != b"HTTP/1.0"
        if head.length < 0 and not chunked:
            exchange.keep_alive = False
        if not (exchange.body_done or self._rest_is_short(exchange)):
            exchange.keep_alive = False
        if chunked:
            body = (chunk(body) if body else b"") + (LAST_CHUNK if ended else b"")
        clock = self.server.clock
        if self._waits(exchange):
            make = lambda kept: response_bytes(request, head, clock, chunked=chunked, keep_alive=kept)  # noqa: E731
            self._held = HeldResponse(exchange, make, body)
            self.resume_reading()
            return
        data = response_bytes(request, head, clock, chunked=chunked, keep_alive=exchange.keep_alive)
        self.transport.write(data + body if body else data)

    def _waits(self, exchange: Exchange) -> bool:
        """Whether a response that comes before the end of the request's body has to wait for that."""
        return not exchange.body_done and exchange.keep_alive and self.server.limits.half_duplex

    def _let_go(self, held: HeldResponse, *, kept: bool) -> None:
        self._held, held.exchange.keep_alive = None, kept
        self.transport.write(held.data(resume=not self._blocked))

    def _rest_is_short(self, exchange: Exchange) -> bool:
        """Whether what the client has not sent yet of its body can be read and forgotten to get to its next request."""
        if exchange.expects_continue and not exchange.continued:
            return False  # it may or may not send the body that it announced
        return self._left < MOST_DISCARDED

    def body(self, data: bytes) -> None:
        """Send a piece of the response's body."""
        self._write(chunk(data) if self._chunked else data)

    def _write(self, data: bytes) -> None:
        if self._held is not None:
            self._held.pieces.append(data)
        else:
            self.transport.write(data)

    def end(self, trailers: Headers) -> None:
        """The response is complete."""
        if self._chunked:
            self._write(last_chunk(trailers))

    def answer(self, exchange: Exchange, answer: Answer) -> None:
        """Send a complete response of our own."""
        if answer.bare is not None or not (exchange.body_done or self._rest_is_short(exchange)):
            exchange.keep_alive = False
        now = self.server.clock.now()
        if self._waits(exchange):
            self._held = HeldResponse(exchange, lambda kept: answer_bytes(answer, exchange.request, now, keep_alive=kept), b"")
            self.resume_reading()
        else:
            self.transport.write(answer_bytes(answer, exchange.request, now, keep_alive=exchange.keep_alive))

    def go_on(self) -> None:
        """Send 100: the client waits for it before it sends the body."""
        self.transport.write(_CONTINUE)

    def preliminary(self, head: ResponseHead) -> None:
        """Send a 1xx response."""
        self.transport.write(status_line(b"HTTP/1.1", head.status) + head.headers.lines() + b"\r\n")

    def pause_reading(self) -> None:
        """Stop reading from the client: what it sends can't be passed on now."""
        if not self._paused and self._held is None and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def drain(self) -> None:
        """Serve the current request, and none after it. The client is not told before that: upstream does not, either."""
        self.closing = True
        if self.exchange is None:
            self.close()

    def close(self) -> None:
        """Close once what was written has been sent, or at the latest after the idle timeout."""
        self.closing = True
        if self.transport.is_closing():
            return
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.server.idle.discard(self)
            self.server.idle.add(self)

    def _close_gently(self) -> None:
        """Close although the client is still sending: it gets the time to read the response before the connection is reset."""
        self.closing = True
        if self.transport.is_closing():
            return
        self.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.server.clock.call_later(_LINGER, self.close)

    def idle_timed_out(self) -> None:
        """There was no request for too long, or what was written when it was closed has not been taken for as long."""
        if self.transport.is_closing():
            self.transport.abort()
        else:
            self.close()

    def switch(self, head: ResponseHead, early: bytes, backend: BackendSide) -> None:
        """Send a 101; from here on, pass on whatever comes."""
        assert isinstance(backend, Backend), "only HTTP/1 knows upgrades"
        self.transport.write(status_line(b"HTTP/1.1", 101) + head.headers.lines() + b"\r\n" + early)
        self._chunked = False
        self._tunnel = backend
        self.server.tunnelled(self)
        data, self._buffer = self._buffer, b""
        self.resume_reading()
        if data:
            backend.transport.write(data)

    def exchange_over(self, exchange: Exchange) -> None:
        """The response is complete; go on with the next request, or end."""
        self.exchange = None
        self._tunnel = None
        if self._held is not None:
            if exchange.keep_alive and not self.closing:
                self.server.idle.add(self)
                return
            self._let_go(self._held, kept=False)
        if not exchange.keep_alive or self.closing:
            if exchange.body_done or not exchange.complete:
                self.close()
            else:
                self._close_gently()
            return
        self._discarded = 0
        self.server.idle.add(self)
        if not self._blocked:  # else the responses to pipelined requests would pile up
            if self._paused:
                self.resume_reading()
            if self._buffer:
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
            while self._buffer and self.exchange is None and not self.closing and not self._blocked:
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
            parsed = self._reader.read(self._buffer, server.limits.request_head)
            if parsed is None:
                server.head_begun(self)
                return False
            request, used = parsed
            expect = request.headers.get(b"Expect")
            if expect is not None and expect[0] and expect[0].lower() != b"100-continue":
                raise BadRequest("417 Expectation Failed", "")
        except BadRequest as refused:
            self.refuse(refused)
            return False
        server.idle.discard(self)
        server.heads.discard(self)
        self._buffer = self._buffer[used:]
        if request.target == b"*" and request.method == b"OPTIONS":
            return self._answer_options(request)
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

    def _answer_options(self, request: RequestHead) -> bool:
        """`OPTIONS *` asks about the server itself: Go's answers before any handler sees it."""
        keep_alive = request.keep_alive and request.length == 0 and not self.closing
        self.transport.write(options_bytes(request, self.server.clock.now(), keep_alive=keep_alive))
        if keep_alive:
            self.server.idle.add(self)
        else:
            self.close()
        return keep_alive

    def refuse(self, refused: BadRequest) -> None:
        """Say why, and close: what follows on this connection cannot be trusted to be a request."""
        self._buffer = b""
        self.server.refused(self, refused)
        self.transport.write(refused.answer())
        self._close_gently()

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
        if exchange is not None and (piece or last):
            exchange.request_body(piece, last=last)
        if self._held is not None:
            self._wait_less(self._held, len(piece), last=last)
        elif exchange is None:
            self._discard(len(piece), last=last)

    def _wait_less(self, held: HeldResponse, size: int, *, last: bool) -> None:
        """A piece of the body that a response waits for has come."""
        if not held.waits_on(size, last=last):
            self._let_go(held, kept=last and not self.closing)
            if self.exchange is None:
                self._process() if held.exchange.keep_alive else self._close_gently()

    def _discard(self, size: int, *, last: bool) -> None:
        """The response is there already; the rest of the body is read only to get to the next request."""
        self._discarded += size
        if last:
            self._process()
        elif self._discarded > MOST_DISCARDED and not self.closing:
            self._close_gently()

    def _broken_body(self, error: ChunkError) -> None:
        self._decoder = None
        self.closing = True
        exchange = self.exchange
        if self._held is not None:
            self._let_go(self._held, kept=False)
        if exchange is None:
            self.close()
        elif exchange.status:
            exchange.cut(str(error))
        else:
            exchange.body_broken(str(error))
