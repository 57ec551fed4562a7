"""What the tests of HTTP/2 share: a front on a transport of memory, driven with raw frames."""

from collections.abc import Callable
from typing import Any

from hpack import Decoder, Encoder
from hyperframe.frame import ContinuationFrame, Frame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

from cfroute.http2.frames import PREFACE
from cfroute.http2.front import Http2Front
from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Destination
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure
from cfroute.proxy.head import RequestHead, ResponseHead
from cfroute.proxy.server import Limits, ProxyServer
from cfroute.proxy.sides import BackendSide, ClientSide, RequestLine
from cfroute.testing import ManualClock

Fields = list[tuple[str, str]]
REQUEST = [(":method", "GET"), (":scheme", "https"), (":authority", "a.test"), (":path", "/")]


class Wire:
    """A transport that only remembers."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = False
        self.reading = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Silent(Destination):
    """A backend that takes everything and says nothing; `side` is what stands for its connection."""

    def __init__(self, side: "Sink") -> None:
        super().__init__("127.0.0.1", 1)
        self.side = side

    def take(self) -> BackendSide | None:
        return self.side


class Sink:
    """The backend's side of one exchange after another."""

    closed = blocked = False
    took_all = True
    made_in = timings = None

    def __init__(self) -> None:
        self.exchange: Exchange | None = None
        self.taken = bytearray()
        self.last = False
        self.calls: list[str] = []

    def send(self, exchange: Exchange, line: RequestLine, body: list[bytes] | None) -> None:
        self.exchange = exchange
        self.last = exchange.body_done
        for piece in body or ():
            self.taken += piece

    def body(self, data: bytes, *, last: bool) -> None:
        self.taken += data
        self.last = last

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.calls.append(name)


class Decide:
    """A policy that answers at once with `answer`, or sends everything to a sink."""

    def __init__(self) -> None:
        self.requests: list[RequestHead] = []
        self.answer: Answer | None = Answer(200, b"ok")
        self.sinks: list[Sink] = []
        self.failures: list[Failure] = []
        self.finished_ones: list[Exchange] = []

    def exchange(self, front: ClientSide, request: RequestHead) -> Exchange:
        self.requests.append(request)
        return Exchange(front, request)

    def begin(self, exchange: Exchange) -> Answer | None:
        return self.answer

    def destination(self, exchange: Exchange) -> Destination:
        self.sinks.append(Sink())
        return Silent(self.sinks[-1])

    def request_line(self, exchange: Exchange) -> RequestLine:
        return exchange.request.target, exchange.request.host, False

    def failed(self, exchange: Exchange, failure: Failure) -> Answer | None:
        self.failures.append(failure)
        return Answer(502)

    def response(self, exchange: Exchange, response: ResponseHead) -> Answer | None:
        return None

    def finished(self, exchange: Exchange) -> None:
        self.finished_ones.append(exchange)


class Front:
    """A front, its client, and what went between them."""

    def __init__(self, limits: Limits | None = None, *, greet: bool = True) -> None:
        self.clock = ManualClock()
        self.policy = Decide()
        self.server = ProxyServer(self.policy, self.clock, limits or Limits())
        self.front = Http2Front(self.server)
        self.wire = Wire()
        self.front.connection_made(self.wire)  # type: ignore[arg-type]
        self.encoder, self.decoder = Encoder(), Decoder()
        self.seen: list[Frame] = []
        self._read = 0
        if greet:
            self.send(PREFACE, SettingsFrame(0))

    def send(self, *frames: Frame | bytes) -> None:
        for frame in frames:
            self.front.data_received(frame if isinstance(frame, bytes) else frame.serialize())

    def request(self, stream_id: int, *fields: tuple[str, str], end: bool = True, base: Fields | None = None) -> None:
        """HEADERS with a request."""
        flags = ["END_HEADERS", "END_STREAM"] if end else ["END_HEADERS"]
        self.send(HeadersFrame(stream_id, self.block(*(REQUEST if base is None else base), *fields), flags=flags))

    def block(self, *fields: tuple[str | bytes, str | bytes]) -> bytes:
        return self.encoder.encode(fields)

    def frames(self) -> list[Frame]:
        """What the front has sent since the last look."""
        self.front.write_out()
        frames, data = [], memoryview(bytes(self.wire.written))[self._read :]
        self._read = len(self.wire.written)
        while data:
            frame, length = Frame.parse_frame_header(data[:9])
            frame.parse_body(data[9 : 9 + length])
            data = data[9 + length :]
            frames.append(frame)
        self.seen += frames
        return frames

    def of(self, kind: type[Frame], stream_id: int | None = None) -> list[Any]:
        """All frames of a kind so far."""
        self.frames()
        return [frame for frame in self.seen if isinstance(frame, kind) and stream_id in (None, frame.stream_id)]

    def fields(self, stream_id: int) -> dict[str, str]:
        """The fields of the last HEADERS on a stream."""
        blocks = [(f.stream_id, bytes(f.data)) for f in self.frames() if isinstance(f, HeadersFrame)]
        decoded = {number: dict(self.decoder.decode(block)) for number, block in blocks}
        return decoded[stream_id]

    def reset(self, stream_id: int) -> int | None:
        """The error code of a stream's RST_STREAM, if it has one."""
        return next((frame.error_code for frame in self.of(RstStreamFrame, stream_id)), None)

    def gone(self) -> int | None:
        """The error code of the GOAWAY, if there is one."""
        return next((frame.error_code for frame in self.of(GoAwayFrame)), None)


def continuation(stream_id: int, data: bytes, *, end: bool = False) -> ContinuationFrame:
    return ContinuationFrame(stream_id, data, flags=["END_HEADERS"] if end else [])
