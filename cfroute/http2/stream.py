"""One stream: what it sends within the windows, and what it takes."""

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Final

from cfroute.http2 import frames
from cfroute.http2.frames import DATA, END_STREAM, ErrorCode, StreamProblem, frame_header

if TYPE_CHECKING:
    from cfroute.http2.connection import Connection

WINDOW: Final = 256 * 1024
"""Bytes of DATA that a peer may send on a stream before the other side of the exchange has taken them."""


class Stream(ABC):
    """The part of a stream that requests and responses share.

    What does not fit into the windows waits in a queue; `choked` and `relieved` tell the exchange when that begins and ends.
    local_ended and remote_ended tell whether we, and the peer, have sent END_STREAM; closed that the stream is gone.
    """

    __slots__ = (
        "_ending", "_held", "_queue", "_received", "_room", "_sent", "_trailers", "closed", "connection", "id", "local_ended",
        "paused", "remote_ended", "window",
    )  # fmt: skip

    def __init__(self, connection: "Connection", stream_id: int) -> None:
        self.connection = connection
        self.id = stream_id
        self.window = connection.first_window
        self.closed = False
        self.local_ended = False
        self.remote_ended = False
        self.paused = False  # whether the other side of the exchange does not take what comes
        self._queue: deque[bytes] | None = None  # made when something has to wait
        self._sent = 0  # bytes of the first piece in the queue that are gone
        self._ending = False  # whether the queue is the last of it
        self._trailers = b""
        self._room = WINDOW  # what the peer may still send
        self._received = 0  # what it may be allowed anew
        self._held = 0  # what came while it was paused, which the connection's window lacks

    def __repr__(self) -> str:
        sides = f"{'-' if self.local_ended else '>'}{'-' if self.remote_ended else '<'}"
        return f"<{type(self).__name__} {self.id} {'closed' if self.closed else sides} window={self.window}>"

    # Sending

    def send_data(self, data: bytes, *, end: bool) -> None:
        """Send a piece of the body; `end` says that it is the last."""
        connection, size = self.connection, len(data)
        if self._queue is None:
            if size <= min(self.window, connection.room, connection.frame_size) and not connection.blocked:
                self.window -= size
                connection.room -= size
                connection.put(frame_header(size, DATA, END_STREAM if end else 0, self.id) + data)
                if end:
                    self._local_end()
                return
            self._queue = deque()
        if data:
            self._queue.append(data)
        self._ending = end
        while self.flush():
            pass
        if self._queue is not None:
            self.choked()

    def send_end(self, trailers: bytes) -> None:
        """End the body with these encoded fields; empty ones mean that there are none."""
        if self._queue is not None:
            self._ending, self._trailers = True, trailers
        elif trailers:
            self.connection.put_block(self.id, trailers, end=True)
            self._local_end()
        else:
            self.connection.put(frame_header(0, DATA, END_STREAM, self.id))
            self._local_end()

    def flush(self) -> bool:
        """Send one frame of the queue, if the windows allow it; whether there may be more to send at once."""
        queue, connection = self._queue, self.connection
        if queue is None:
            return False
        waiting = connection.waiting
        size = 0
        if not connection.blocked:
            if not queue:
                self._drained()
                return False
            size = min(len(queue[0]) - self._sent, self.window, connection.room, connection.frame_size)
        if size <= 0:
            waiting.setdefault(self, None)
            return False
        waiting.pop(self, None)
        self._send_queued(queue, size)
        if self._queue is not None:
            waiting[self] = None  # behind the others
        return True

    def _send_queued(self, queue: deque[bytes], size: int) -> None:
        """Send so many bytes of the first piece in the queue."""
        connection, piece, begin = self.connection, queue[0], self._sent
        self.window -= size
        connection.room -= size
        self._sent = end = begin + size
        if end == len(piece):
            queue.popleft()
            self._sent = 0
        last = not queue and self._ending and not self._trailers
        connection.put(frame_header(size, DATA, END_STREAM if last else 0, self.id))
        connection.put(piece[begin:end] if size < len(piece) else piece)
        if last:
            self._queue = None
            self._local_end()
        elif not queue:
            self._drained()

    def _drained(self) -> None:
        """What waited is sent."""
        self._queue = None
        self.connection.waiting.pop(self, None)
        if self._ending:
            self.send_end(self._trailers)
        else:
            self.relieved()

    @property
    def queued(self) -> bool:
        """Whether something waits to be sent."""
        return self._queue is not None

    @property
    def ending(self) -> bool:
        """Whether all that is to be sent has been given to `send_data`."""
        return self.local_ended or self._ending

    def _local_end(self) -> None:
        self.local_ended = True
        if self.remote_ended:
            self.forget()
        else:
            self.sent_all()

    # Taking

    def take(self, size: int) -> None:
        """So many bytes of DATA have come. Raises StreamProblem."""
        self._room -= size
        self._received += size
        if self._room < 0:
            raise StreamProblem(self.id, ErrorCode.FLOW_CONTROL_ERROR)

    def taken(self, size: int) -> None:
        """So many bytes were passed on. Let the peer send as many again, unless nobody takes them, once that is worth a frame."""
        if self.paused and not self.closed:
            self._held += size
            return
        self.connection.grant(size)
        if self._received >= WINDOW // 2 and not (self.remote_ended or self.closed):
            self.connection.put(frames.window_update(self.id, self._received))
            self._room += self._received
            self._received = 0

    def pause(self) -> None:
        """Let the peer send no more than its window."""
        self.paused = True

    def resume(self) -> None:
        """Let the peer send again."""
        if self.paused:
            self.paused = False
            held, self._held = self._held, 0
            self.taken(held)

    # The end

    def reset(self, code: ErrorCode) -> None:
        """End the stream at once, in both directions."""
        if not self.closed:
            self.connection.put(frames.rst_stream(self.id, code))
            self.connection.note_reset(self.id)
            self.forget()

    def forget(self) -> None:
        """The stream is closed."""
        if not self.closed:
            self.closed = True
            self._queue = None
            self.connection.waiting.pop(self, None)
            self.connection.grant(self._held)
            self.connection.closed_stream(self)

    # What those who extend it are told

    @abstractmethod
    def choked(self) -> None:
        """More is to be sent than may be: stop its source."""

    @abstractmethod
    def relieved(self) -> None:
        """What waited has been sent: let its source go on."""

    @abstractmethod
    def sent_all(self) -> None:
        """END_STREAM has been sent, and the peer has not sent its own."""

    @abstractmethod
    def headers(self, block: bytes, *, end: bool) -> None:
        """Header fields have come, or trailers."""

    @abstractmethod
    def data(self, data: bytes, *, end: bool) -> None:
        """A piece of the body has come."""

    @abstractmethod
    def was_reset(self, code: int, text: str) -> None:
        """The peer has ended the stream, or has broken its rules, as the text says; the stream is closed."""
