"""A connection to a backend that speaks HTTP/2."""

from typing import TYPE_CHECKING, Final

from cfroute.http2 import frames
from cfroute.http2.backend_stream import BackendStream
from cfroute.http2.frames import ConnectionProblem, ErrorCode, error_name
from cfroute.http2.stream import Stream
from cfroute.http2.transport import Carrier
from cfroute.proxy.failure import Failure, Kind, lost_failure

if TYPE_CHECKING:
    import asyncio

    from cfroute.http2.destination import Http2Destination

_STREAMS: Final = 100  # that a backend takes before it has said how many, as with Go's client
_LAST_STREAM: Final = 2**31 - 1


class Http2Backend(Carrier):
    """One connection, with several requests at a time.

    arrived are the streams of which something has come in the present read; idle_since is the time at which the connection was
    first seen without streams, 0 while it has some.
    """

    def __init__(self, destination: "Http2Destination") -> None:
        super().__init__(destination.response_limit)
        self.destination = destination
        self.arrived: dict[BackendStream, None] = {}
        self.requests = 0
        self.idle_since = 0.0
        self.closed = False
        self._retired = False  # whether it takes no new streams
        self._most = _STREAMS
        self._lost: Exception | None = None
        self._failure: Failure | None = None

    def __repr__(self) -> str:
        state = "closed" if self.closed else "retired" if self._retired else "open"
        return f"<Http2Backend {self.destination.host}:{self.destination.port} {state} streams={len(self.streams)}>"

    # The destination's side

    @property
    def has_room(self) -> bool:
        """Whether it takes one more stream."""
        if self._retired or self.closed or (self.requests and self.destination.max_idle == 0):
            return False
        return len(self.streams) < self._most

    def expire(self, now: float, seconds: float) -> None:
        """Close the connection if it has been without streams for so long; now is in monotonic seconds."""
        if self.streams:
            return
        if not self.idle_since:
            self.idle_since = now
        elif now - self.idle_since > seconds:
            self.close()

    def open_stream(self, stream: BackendStream) -> None:
        """Give the stream its number."""
        stream.id = self.last_stream = 2 * self.requests + 1
        stream.window = self.first_window
        self.requests += 1
        self.idle_since = 0.0
        self.streams[stream.id] = stream
        if stream.id >= _LAST_STREAM:
            self.retire()

    def retire(self) -> None:
        """Take no new streams, and end with the last one."""
        self._retired = True
        self.destination.forget(self)
        if not self.streams:
            self.close()

    def close(self) -> None:
        """End the connection; no stream is open."""
        if not self.closed:
            self.closed = True
            self.destination.forget(self)
            self.put(frames.goaway(0, ErrorCode.NO_ERROR))
            self.write_out()
            self.transport.close()

    def lost(self) -> Failure:
        """Why it is gone."""
        return self._failure or lost_failure(self._lost, self._addresses)

    @property
    def _addresses(self) -> str:
        local = self.transport.get_extra_info("sockname") or ("", 0)
        return f"{local[0]}:{local[1]}->{self.destination.host}:{self.destination.port}"

    # The transport's side

    def connection_made(self, transport: "asyncio.BaseTransport") -> None:
        super().connection_made(transport)
        self.put(frames.PREFACE)
        self.open({frames.ENABLE_PUSH: 0, frames.MAX_HEADER_LIST_SIZE: self.destination.response_limit})

    def receive(self, data: bytes) -> None:
        super().receive(data)
        arrived, self.arrived = self.arrived, {}
        for stream in arrived:
            try:
                stream.deliver()
            except Exception as defect:
                if stream.exchange is None:
                    raise
                stream.exchange.panicked(defect)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = self.broken = True
        self._lost = exc
        self.destination.forget(self)
        self._give_up_all(self.streams, unprocessed=False)

    def _give_up_all(self, streams: dict[int, Stream], *, unprocessed: bool) -> None:
        for stream in list(streams.values()):
            assert isinstance(stream, BackendStream)
            stream.forget()
            failure = stream.failure()
            failure.unprocessed = unprocessed
            stream.give_up(failure)

    # The connection's side

    @property
    def highest_processed(self) -> int:
        return 0

    def begin_stream(self, stream_id: int, block: bytes, *, end: bool) -> None:
        raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "a backend opens no streams")

    def closed_stream(self, stream: Stream) -> None:
        super().closed_stream(stream)
        if not self.streams and (self._retired or self.destination.max_idle == 0) and not self.broken:
            self.close()

    def costs_nothing(self) -> None:
        """Backends are trusted with that."""

    def stream_cancelled(self) -> None:
        """A backend may refuse as many requests as it likes."""

    def setting(self, key: int, value: int) -> None:
        if key == frames.MAX_CONCURRENT_STREAMS:
            self._most = value

    def told_to_go(self, last_stream: int, code: int) -> None:
        self._failure = Failure(
            Kind.EOF if code == ErrorCode.NO_ERROR else Kind.OTHER,
            f"http2: server sent GOAWAY and closed the connection; LastStreamID={last_stream}, ErrCode={error_name(code)}",
            got_connection=True,
        )
        self._retired = True
        self.destination.forget(self)
        self._give_up_all({number: stream for number, stream in self.streams.items() if number > last_stream}, unprocessed=True)
        if not self.streams:
            self.close()

    def gave_up(self, problem: ConnectionProblem) -> None:
        self._failure = Failure(Kind.MALFORMED, f"http2: {problem.text}", got_connection=True)
        self.closed = True
        self.destination.forget(self)
        self.write_out()
        self.transport.close()
        self._give_up_all(self.streams, unprocessed=False)
