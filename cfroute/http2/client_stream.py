"""One request of a client that speaks HTTP/2, and its response."""

import ssl
from typing import TYPE_CHECKING, NoReturn

from cfroute.http2.frames import ErrorCode, StreamProblem
from cfroute.http2.messages import (
    Malformed,
    answer_block,
    preliminary_block,
    response_block,
    trailer_block,
    trailer_fields,
)
from cfroute.http2.stream import Stream
from cfroute.proxy.answer import Answer
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.head import RequestHead, ResponseHead
from cfroute.proxy.headers import Headers
from cfroute.proxy.sides import BackendSide

if TYPE_CHECKING:
    from cfroute.http2.front import Http2Front
    from cfroute.proxy.server import ProxyServer


class ClientStream(Stream):
    """The client's side of an exchange."""

    __slots__ = ("_left", "exchange", "owner")

    def __init__(self, connection: "Http2Front", stream_id: int) -> None:
        super().__init__(connection, stream_id)
        self.owner = connection
        self.exchange: Exchange | None = None
        self._left = -1  # bytes of the body that are still to come; negative if nobody knows

    # What a policy asks

    @property
    def server(self) -> "ProxyServer":
        return self.owner.server

    @property
    def peer(self) -> tuple[str, int]:
        return self.owner.peer

    @property
    def client(self) -> bytes:
        return self.owner.client

    @property
    def local(self) -> tuple[str, int]:
        return self.owner.local

    @property
    def tls(self) -> ssl.SSLObject | None:
        return self.owner.tls

    # The request

    def begin(self, request: RequestHead, *, end: bool) -> None:
        """Serve this request."""
        self.remote_ended = end
        self._left = request.length
        waits = b"Expect" in request.headers and b"100-continue" in request.headers.tokens(b"Expect")
        if waits:
            del request.headers[b"Expect"]  # as Go's server does: what follows never hears of it
        exchange = self.exchange = self.owner.server.policy.exchange(self, request)
        exchange.start()
        if waits and not (end or exchange.status):
            exchange.continued = True
            self.go_on()

    def refuse(self, answer: Answer, *, end: bool) -> None:
        """Answer a request that the policy does not get to see."""
        self.remote_ended = end
        self._answer(answer, answer.body)
        self.sent_all()

    def data(self, data: bytes, *, end: bool) -> None:
        exchange = self.exchange
        if exchange is None:  # the response is there already: nobody wants the rest
            return
        if self._left >= 0:
            self._left -= len(data)
            if self._left < 0:
                raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR)
            if end and self._left:
                self._broken(exchange)
                return
        if data or end:
            exchange.request_body(data, last=end)

    def headers(self, block: bytes, *, end: bool) -> None:
        """Trailers: they are lost, as upstream loses them."""
        fields = self.owner.decoder.decode(block)
        try:
            trailer_fields(fields)
        except Malformed as error:
            raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR) from error
        if not end:
            raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR)
        self.data(b"", end=True)

    def _broken(self, exchange: Exchange) -> None:
        """The body has ended before its time."""
        declared = exchange.request.length
        reason = f"request declared a Content-Length of {declared} but only wrote {declared - self._left} bytes"
        if exchange.status:
            exchange.cut(reason)
        else:
            exchange.body_broken(reason)

    def was_reset(self, code: int, text: str) -> None:
        if self.exchange is not None:
            self.exchange.client_gone()

    # The response

    def pause_reading(self) -> None:
        """Let the client send no more than its window."""
        self.pause()

    def resume_reading(self) -> None:
        """Let the client send again."""
        self.resume()

    def go_on(self) -> None:
        """Send 100."""
        self._put(preliminary_block(100, Headers()), end=False)

    def preliminary(self, head: ResponseHead) -> None:
        """Send a 1xx response."""
        self._put(preliminary_block(head.status, head.headers), end=False)

    def respond(self, exchange: Exchange, head: ResponseHead, body: bytes, ended: bool) -> None:
        """Send the response's head and the begin of its body."""
        self._put(response_block(exchange.request, head, self.owner.server.clock), end=ended and not body)
        if body:
            self.send_data(body, end=ended)

    def _put(self, block: bytes, *, end: bool) -> None:
        if not self.closed:
            self.owner.put_block(self.id, block, end=end)
            if end:
                self._local_end()

    def body(self, data: bytes) -> None:
        """Send a piece of the response's body."""
        if not self.closed:
            self.send_data(data, end=False)

    def end(self, trailers: Headers) -> None:
        """The response is complete."""
        if not self.closed:
            self.send_end(trailer_block(trailers))

    def answer(self, exchange: Exchange, answer: Answer) -> None:
        """Send a response of our own."""
        self._answer(answer, answer.body if exchange.request.method != b"HEAD" else b"")

    def _answer(self, answer: Answer, body: bytes) -> None:
        self._put(answer_block(answer, self.owner.server.clock.now()), end=not body)
        if body:
            self.send_data(body, end=True)

    def switch(self, head: ResponseHead, early: bytes, backend: BackendSide) -> NoReturn:
        """Never called: no request of HTTP/2 asks for another protocol."""
        raise AssertionError("only HTTP/1 knows upgrades")

    def close(self) -> None:
        """End the stream, whatever is still to be said."""
        self.reset(ErrorCode.CANCEL)

    def exchange_over(self, exchange: Exchange) -> None:
        """The response is complete, or will never be."""
        self.exchange = None
        if not self.ending:
            self.reset(ErrorCode.INTERNAL_ERROR)
        elif self.local_ended:
            self.sent_all()
        self.resume()
        self.owner.exchange_over()

    def choked(self) -> None:
        if self.exchange is not None and self.exchange.backend is not None:
            self.exchange.backend.pause()

    def relieved(self) -> None:
        if self.exchange is not None and self.exchange.backend is not None:
            self.exchange.backend.resume()

    def sent_all(self) -> None:
        """The client need not send the rest of its body."""
        if self.exchange is None and self.local_ended and not self.remote_ended:
            self.reset(ErrorCode.NO_ERROR)
