"""One request to a backend that speaks HTTP/2, and its response."""

from typing import TYPE_CHECKING, Final, cast

from cfroute.http2.frames import ErrorCode, StreamProblem, error_name
from cfroute.http2.messages import Malformed, request_block, response_head, trailer_fields
from cfroute.http2.stream import Stream
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure, Kind
from cfroute.proxy.head import BadResponse, ResponseHead
from cfroute.proxy.headers import Headers
from cfroute.proxy.sides import RequestLine
from cfroute.proxy.timings import NOT_MEASURED, Timings

if TYPE_CHECKING:
    from cfroute.http2.backend import Http2Backend

_NO_TRAILERS: Final = Headers()


class BackendStream(Stream):
    """The backend's side of an exchange. It has no number, and is not open, before its request is sent.

    What comes of a response in one read is told to the exchange together, by `deliver`.
    """

    __slots__ = (
        "_complete", "_head", "_left", "_pieces", "_reused", "_trailer_fields", "exchange", "head_seen", "made_in", "owner",
    )  # fmt: skip

    def __init__(self, connection: "Http2Backend") -> None:
        super().__init__(connection, 0)
        self.owner = connection
        self.exchange: Exchange | None = None
        self.made_in = NOT_MEASURED
        self.head_seen = False
        self._reused = connection.requests > 0
        self._complete = False  # whether the response is here in full
        self._head: ResponseHead | None = None  # which the exchange has not been told yet
        self._pieces: list[bytes] = []
        self._trailer_fields = _NO_TRAILERS
        self._left = -1  # bytes of the body that are still to come; negative if nobody knows

    # The exchange's side

    @property
    def blocked(self) -> bool:
        return self.queued

    @property
    def timings(self) -> Timings:
        return self.made_in

    @property
    def took_all(self) -> bool:
        return not self.queued

    def send(self, exchange: Exchange, line: RequestLine, body: list[bytes] | None) -> None:
        """Open the stream with the request and what there is of its body."""
        self.exchange = exchange
        self.owner.open_stream(self)
        end = exchange.body_done and not body
        self.owner.put_block(self.id, request_block(exchange.request, line), end=end)
        if end:
            self._local_end()
        elif body:
            self.body(b"".join(body), last=exchange.body_done)

    def body(self, data: bytes, *, last: bool) -> None:
        """Send a piece of the request's body. Trailers of requests are lost, as upstream loses them."""
        if self.closed:
            return
        if data:
            self.send_data(data, end=last)
        elif last:
            self.send_end(b"")

    def release(self, now: float) -> None:
        """The exchange is over."""
        self.exchange = None
        self.resume()

    def close(self) -> None:
        """Nobody wants the response any more."""
        self.exchange = None
        if self.id:
            self.reset(ErrorCode.CANCEL)

    def end(self) -> None:
        """The same: there are no tunnels here."""
        self.close()

    def failure(self) -> Failure:
        """Why the connection was lost before there was a response."""
        failure = self.owner.lost()
        failure.reused = self._reused
        failure.wrote_headers = self.id > 0
        return failure

    def choked(self) -> None:
        if self.exchange is not None:
            self.exchange.front.pause_reading()

    def relieved(self) -> None:
        if self.exchange is not None:
            self.exchange.front.resume_reading()

    def sent_all(self) -> None:
        """The response is still to come."""

    # The connection's side

    def headers(self, block: bytes, *, end: bool) -> None:
        if self.head_seen or self._head is not None:
            self._end_fields(block, end=end)
            return
        exchange = self.exchange
        if exchange is None:
            self.owner.decoder.decode(block)
            return
        try:
            head = self._read_head(block, exchange.request.method, end=end)
        except BadResponse as bad:
            raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR, str(bad)) from bad
        if head.status < 200:
            if not exchange.informational(head):
                raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR, "http2: too many 1xx informational responses")
            return
        if not end and head.length >= 0:
            self._left = head.length
        self._complete = end
        self._head = head
        self.owner.arrived[self] = None

    def _read_head(self, block: bytes, method: bytes, *, end: bool) -> ResponseHead:
        decoder, key = self.owner.decoder, (block, end)
        known = decoder.known.get(key) if method != b"HEAD" else None
        if known is not None:
            return cast(ResponseHead, known).copy()
        fields = decoder.decode(block)
        head = response_head(fields, method, ended=end)
        if head.status == 101 or (head.status < 200 and end):
            raise BadResponse(f"malformed response from server: a final {head.status}")
        if sum([len(name) + len(value) + 32 for name, value in fields]) > self.owner.destination.response_limit:
            raise BadResponse("http2: response header list larger than advertised limit")
        return head.copy() if method != b"HEAD" and decoder.keep(key, head) else head

    def _end_fields(self, block: bytes, *, end: bool) -> None:
        fields = self.owner.decoder.decode(block)
        try:
            self._trailer_fields = trailer_fields(fields)
        except Malformed as error:
            raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR, str(error)) from error
        if not end or self._left > 0:
            raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR, "unexpected EOF")
        self._complete = True
        self.owner.arrived[self] = None

    def data(self, data: bytes, *, end: bool) -> None:
        if not self.head_seen and self._head is None:
            raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR, "DATA before HEADERS")
        if self._left >= 0:
            self._left -= len(data)
            if self._left < 0 or (end and self._left):
                raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR, "unexpected EOF")
        if data:
            self._pieces.append(data)
        self._complete = end
        self.owner.arrived[self] = None

    def deliver(self) -> None:
        """Tell the exchange what has come."""
        exchange, head = self.exchange, self._head
        if exchange is None:
            return
        body = b"".join(self._pieces)
        self._pieces.clear()
        ended = self._complete
        if head is not None:
            self._head = None
            self.head_seen = True
            at_once = ended and not self._trailer_fields
            if not exchange.responded(head, body, ended=at_once, clean=True) or at_once:
                return
        else:
            exchange.body(body)
        if ended:
            exchange.ended(self._trailer_fields, clean=True)

    def was_reset(self, code: int, text: str) -> None:
        if self._complete:
            return  # the response is complete, and the backend does not want the rest of the request
        refused = code == ErrorCode.REFUSED_STREAM
        if refused:
            self.owner.retire()
        error = f"stream error: stream ID {self.id}; {error_name(code)}; {text}"
        self.give_up(Failure(Kind.OTHER, error, True, True, self._reused, unprocessed=refused))

    def give_up(self, failure: Failure) -> None:
        """There will be no more of the response."""
        self.deliver()
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        if self.head_seen:
            exchange.cut(failure.text)
        else:
            exchange.attempt_failed(failure)
