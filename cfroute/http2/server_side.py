"""The end of a connection that a client has opened: what fronts and servers of calls have in common."""

import asyncio
from abc import abstractmethod
from typing import Final

from cfroute.clock import Clock
from cfroute.http2 import frames
from cfroute.http2.budget import Budget
from cfroute.http2.frames import ConnectionProblem, ErrorCode, StreamProblem
from cfroute.http2.transport import Carrier

_LINGER: Final = 0.5  # seconds that a client gets to read why it is sent away


class ServerSide(Carrier):
    """One client. closing is set once no new stream is taken; most_streams is what the client may have open at a time."""

    def __init__(self, clock: Clock, *, list_limit: int, most_streams: int, control: Budget, cancels: Budget) -> None:
        """`control` and `cancels` are what it may send of frames that cost it nothing, and of streams that it gives up again."""
        super().__init__(list_limit)
        self.closing = False
        self._clock = clock
        self._list_limit = list_limit
        self._most_streams = most_streams
        self._control = control
        self._cancels = cancels
        self._preface = frames.PREFACE

    # What differs

    @abstractmethod
    def begin(self, stream_id: int, block: bytes, *, end: bool) -> None:
        """A stream with a number that is free. Raises ConnectionProblem and StreamProblem."""

    @abstractmethod
    def disconnected(self) -> None:
        """The client is gone."""

    @abstractmethod
    def close_when_done(self) -> None:
        """Close, if that is wanted and nothing is under way any more."""

    def greeted(self) -> None:
        """The client has said that it speaks HTTP/2."""

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.open({frames.MAX_CONCURRENT_STREAMS: self._most_streams, frames.MAX_HEADER_LIST_SIZE: self._list_limit})

    def data_received(self, data: bytes) -> None:
        if self._preface:
            size = min(len(self._preface), len(data))
            if data[:size] != self._preface[:size]:
                self.fail(ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "bogus greeting"))
                return
            self._preface, data = self._preface[size:], data[size:]
            if not self._preface:
                self.greeted()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = self.broken = True
        self.disconnected()
        self._forget_streams(ErrorCode.CANCEL, "")

    def _forget_streams(self, code: int, text: str) -> None:
        for stream in list(self.streams.values()):
            stream.forget()
            stream.was_reset(code, text)

    # The connection's side

    def begin_stream(self, stream_id: int, block: bytes, *, end: bool) -> None:
        if stream_id % 2 == 0 or stream_id <= self.last_stream:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "a bad stream number")
        self.last_stream = stream_id
        self.begin(stream_id, block, end=end)

    def takes(self, stream_id: int) -> bool:
        """Whether there is room for the stream: none while we go. Raises StreamProblem when the client has too many."""
        if self.closing:
            self.note_reset(stream_id)  # the client knows from our GOAWAY that nobody looked at it
            return False
        if len(self.streams) >= self._most_streams:
            raise StreamProblem(stream_id, ErrorCode.REFUSED_STREAM)
        return True

    def costs_nothing(self) -> None:
        if not self._control.spend(self._clock.monotonic()):
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings")

    def stream_cancelled(self) -> None:
        if not self._cancels.spend(self._clock.monotonic()):
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "too many streams are reset")

    def setting(self, key: int, value: int) -> None:
        """Nothing that concerns a server."""

    def told_to_go(self, last_stream: int, code: int) -> None:
        self.closing = True
        self.close_when_done()

    def gave_up(self, problem: ConnectionProblem) -> None:
        self.closing = True
        self.write_out()
        self._forget_streams(problem.code, problem.text)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._clock.call_later(_LINGER, self.transport.close)

    # The server's side

    def drain(self) -> None:
        """Take no new streams; those under way are finished, then the connection is closed."""
        if not self.closing:
            self.closing = True
            self.put(frames.goaway(self.highest_processed, ErrorCode.NO_ERROR))
        self.close_when_done()
