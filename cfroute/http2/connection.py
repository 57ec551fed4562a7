"""One connection, without its transport: settings, streams and windows (RFC 9113, sections 5 and 6).

Frames go in by `receive`, and come out by `take_output`; what is in them for a stream is told to the stream. What a peer can do
without end is bounded: header blocks, control frames, resets, streams.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from cfroute.http2 import frames
from cfroute.http2.frames import ACK, END_HEADERS, END_STREAM, ConnectionProblem, ErrorCode, Frame, StreamProblem
from cfroute.http2.hpack_blocks import BlockDecoder, BlockEncoder
from cfroute.http2.stream import WINDOW, Stream

_WINDOW: Final = 1 << 20  # bytes of DATA that a peer may send on all streams before they are taken, as Go's server has it
_FRAME_SIZE: Final = 64 * 1024  # that we send at most, whatever the peer allows
_MOST_FRAGMENTS: Final = 128  # of a header block
_MOST_REMEMBERED: Final = 256  # streams that we have reset, and on which frames may still be on their way
_SMALL_GRANT: Final = 1024  # bytes; those who make their windows larger by less could keep us busy
_MOST_GATHERED: Final = 256 * 1024  # bytes of output that are kept for one write


class Connection(ABC):
    """What both ends of a connection do.

    room is the connection's window for what we send, first_window that of a new stream. blocked says that the transport takes no
    more for now. list_limit is how large a decoded header list may be, in bytes.
    """

    def __init__(self, list_limit: int) -> None:
        self.streams: dict[int, Stream] = {}
        self.waiting: dict[Stream, None] = {}  # with a queue, in the order in which they get their turn
        self.room = self.first_window = frames.FIRST_WINDOW
        self.frame_size = frames.FRAME_SIZE
        self.blocked = False
        self.last_stream = 0  # the highest number that a client has used here
        self.broken = False  # whether nothing more is to be read
        self.decoder = BlockDecoder(2 * list_limit + (1 << 16))
        self.encoder = BlockEncoder()
        self._block_limit = list_limit + (1 << 16)
        self._reader = frames.FrameReader()
        self._out: list[bytes] = []
        self._gathered = 0
        self._block: list[bytes] = []  # of a header block that is not complete
        self._block_size = 0
        self._block_of = (0, 0)  # stream and flags
        self._room = frames.FIRST_WINDOW  # what the peer may still send
        self._taken = 0
        self._settled = False
        self._resets: dict[int, None] = {}

    def open(self, settings: dict[int, int]) -> None:
        """Say what we allow; the first thing on a connection."""
        self.put(frames.settings({**settings, frames.INITIAL_WINDOW_SIZE: WINDOW}))
        self.put(frames.window_update(0, _WINDOW - self._room))
        self._room = _WINDOW

    # Output

    def put(self, data: bytes) -> None:
        """Send these bytes, with what else is sent at about the same time."""
        if not self._out:
            self.output_begun()
        self._out.append(data)
        self._gathered += len(data)
        if self._gathered > _MOST_GATHERED:
            self.output_full()

    def put_block(self, stream_id: int, encoded: bytes, *, end: bool) -> None:
        """Send encoded fields."""
        self.put(frames.headers(stream_id, self.encoder.block(encoded), end_stream=end, frame_size=self.frame_size))

    def take_output(self) -> bytes:
        """What is to be written."""
        data = b"".join(self._out)
        self._out.clear()
        self._gathered = 0
        return data

    def unblock(self) -> None:
        """The transport takes more again."""
        self.blocked = False
        self._serve_waiting()

    def _serve_waiting(self) -> None:
        """Let the streams that wait send, one frame each in turn."""
        progress = True
        while progress:
            progress = False
            for stream in list(self.waiting):
                progress |= stream.flush()

    # Input

    def receive(self, data: bytes) -> None:
        """Take what has come. What breaks a rule ends its stream, or the connection."""
        try:
            for frame in self._reader.feed(data):
                if self.broken:
                    return
                try:
                    self._frame(frame)
                except StreamProblem as fault:
                    self._end_stream(fault)
        except ConnectionProblem as problem:
            self.fail(problem)

    def _frame(self, frame: Frame) -> None:
        kind = frame.kind
        if not self._settled and kind != frames.SETTINGS:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if self._block and kind != frames.CONTINUATION:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "a header block is not finished")
        if kind < len(_HANDLERS):
            _HANDLERS[kind](self, frame)
        else:
            self.costs_nothing()

    def fail(self, problem: ConnectionProblem) -> None:
        """End the connection, and say why."""
        if not self.broken:
            self.broken = True
            self.put(frames.goaway(self.highest_processed, problem.code, problem.text))
            self.gave_up(problem)

    def _end_stream(self, problem: StreamProblem) -> None:
        self.costs_nothing()
        stream = self.streams.get(problem.stream_id)
        if stream is None:
            self.put(frames.rst_stream(problem.stream_id, problem.code))
            self.note_reset(problem.stream_id)
        else:
            stream.reset(problem.code)
            stream.was_reset(problem.code, str(problem))
            self.stream_cancelled()  # whoever makes us do it

    def note_reset(self, stream_id: int) -> None:
        """We end this stream; frames that are on their way are no fault."""
        self._resets[stream_id] = None
        if len(self._resets) > _MOST_REMEMBERED:
            del self._resets[next(iter(self._resets))]

    def _known(self, stream_id: int) -> Stream | None:
        """The stream, or None if it is closed. Raises ConnectionProblem if it has never been."""
        stream = self.streams.get(stream_id)
        if stream is None and (stream_id == 0 or stream_id > self.last_stream or stream_id % 2 == 0):
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "a frame on an idle stream")
        return stream

    # Frames of streams

    def _data(self, frame: Frame) -> None:
        size, end = len(frame.payload), frame.flags & END_STREAM != 0
        stream = self._known(frame.stream_id)
        data = frames.unpadded(frame)
        self._room -= size
        if self._room < 0:
            raise ConnectionProblem(ErrorCode.FLOW_CONTROL_ERROR, "more DATA than the connection's window")
        if not data and not end:
            self.costs_nothing()
        if stream is None or stream.remote_ended:
            self.grant(size)
            if frame.stream_id not in self._resets:
                raise StreamProblem(frame.stream_id, ErrorCode.STREAM_CLOSED)
            return
        stream.take(size)
        stream.remote_ended = end
        stream.data(data, end=end)
        stream.taken(size)
        if end and stream.local_ended:
            stream.forget()

    def grant(self, size: int) -> None:
        """So many bytes more were taken; let the peer send as many again, once that is worth a frame."""
        self._taken += size
        if self._taken >= _WINDOW // 4:
            self.put(frames.window_update(0, self._taken))
            self._room += self._taken
            self._taken = 0

    def _headers(self, frame: Frame) -> None:
        stream_id = frame.stream_id
        if stream_id == 0:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "HEADERS on no stream")
        fragment = frames.header_fragment(frame)
        if frame.flags & END_HEADERS:
            self._complete(stream_id, frame.flags, fragment)
        else:
            self._block, self._block_of = [fragment], (stream_id, frame.flags)
            self._block_size = len(fragment)

    def _continuation(self, frame: Frame) -> None:
        stream_id, flags = self._block_of
        if not self._block or frame.stream_id != stream_id:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing")
        self._block.append(frame.payload)
        self._block_size += len(frame.payload)
        if self._block_size > self._block_limit or len(self._block) > _MOST_FRAGMENTS:
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "header block too large")
        if frame.flags & END_HEADERS:
            block, self._block = b"".join(self._block), []
            self._complete(stream_id, flags, block)

    def _complete(self, stream_id: int, flags: int, block: bytes) -> None:
        end = flags & END_STREAM != 0
        stream = self.streams.get(stream_id)
        if stream is None:
            if stream_id > self.last_stream or stream_id % 2 == 0:
                self.begin_stream(stream_id, block, end=end)
                return
            self.decoder.decode(block)  # what it puts into the table is needed later
            if stream_id not in self._resets:
                raise ConnectionProblem(ErrorCode.STREAM_CLOSED, "HEADERS on a closed stream")
        elif stream.remote_ended:
            self.decoder.decode(block)
            raise StreamProblem(stream_id, ErrorCode.STREAM_CLOSED)
        else:
            stream.remote_ended = end
            stream.headers(block, end=end)
            if end and stream.local_ended:
                stream.forget()

    def _priority(self, frame: Frame) -> None:
        if frame.stream_id == 0:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "PRIORITY on no stream")
        if len(frame.payload) != 5:
            raise StreamProblem(frame.stream_id, ErrorCode.FRAME_SIZE_ERROR)
        if frames.word(frame.payload) & 0x7FFFFFFF == frame.stream_id:
            raise StreamProblem(frame.stream_id, ErrorCode.PROTOCOL_ERROR)
        self.costs_nothing()

    def _rst_stream(self, frame: Frame) -> None:
        if len(frame.payload) != 4:
            raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM of a wrong length")
        stream = self._known(frame.stream_id)
        self.stream_cancelled()
        if stream is not None:
            stream.forget()
            stream.was_reset(frames.word(frame.payload), "received from peer")

    def _push_promise(self, frame: Frame) -> None:
        raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "nobody may push here")

    # Frames of the connection

    def _settings(self, frame: Frame) -> None:
        if frame.stream_id:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "SETTINGS on a stream")
        settings = frames.settings_of(frame)
        if frame.flags & ACK:
            return
        self._settled = True
        self.costs_nothing()
        for key, value in settings:
            if key == frames.INITIAL_WINDOW_SIZE:
                self._resize(value)
            elif key == frames.MAX_FRAME_SIZE:
                self.frame_size = min(value, _FRAME_SIZE)
            else:
                self.setting(key, value)
        self.put(frames.SETTINGS_ACK)
        self._serve_waiting()

    def _resize(self, window: int) -> None:
        difference = window - self.first_window
        self.first_window = window
        for stream in self.streams.values():
            stream.window += difference
            if stream.window > frames.LARGEST_WINDOW:
                raise ConnectionProblem(ErrorCode.FLOW_CONTROL_ERROR, "a stream's window is too large")

    def _ping(self, frame: Frame) -> None:
        if frame.stream_id:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "PING on a stream")
        if len(frame.payload) != 8:
            raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "PING of a wrong length")
        self.costs_nothing()
        if not frame.flags & ACK:
            self.put(frames.ping_ack(frame.payload))

    def _goaway(self, frame: Frame) -> None:
        if frame.stream_id:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(frame.payload) < 8:
            raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY of a wrong length")
        self.told_to_go(frames.word(frame.payload) & 0x7FFFFFFF, frames.word(frame.payload[4:]))

    def _window_update(self, frame: Frame) -> None:
        if len(frame.payload) != 4:
            raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE of a wrong length")
        size = frames.word(frame.payload) & 0x7FFFFFFF
        if size < _SMALL_GRANT:
            self.costs_nothing()
        if frame.stream_id:
            stream = self._known(frame.stream_id)
            if stream is None:
                return
            stream.window += size
            if not size or stream.window > frames.LARGEST_WINDOW:
                raise StreamProblem(stream.id, ErrorCode.FLOW_CONTROL_ERROR if size else ErrorCode.PROTOCOL_ERROR)
            while stream.flush():
                pass
            return
        self.room += size
        if not size or self.room > frames.LARGEST_WINDOW:
            code = ErrorCode.FLOW_CONTROL_ERROR if size else ErrorCode.PROTOCOL_ERROR
            raise ConnectionProblem(code, "WINDOW_UPDATE out of range")
        self._serve_waiting()

    # What those who extend it do

    @property
    @abstractmethod
    def highest_processed(self) -> int:
        """The peer's highest stream that was or will be looked at."""

    @abstractmethod
    def begin_stream(self, stream_id: int, block: bytes, *, end: bool) -> None:
        """A stream with a new number has HEADERS."""

    def closed_stream(self, stream: Stream) -> None:
        """A stream is closed."""
        self.streams.pop(stream.id, None)

    @abstractmethod
    def costs_nothing(self) -> None:
        """Something has come that costs the peer nothing to send. Raises ConnectionProblem if there was too much of it."""

    @abstractmethod
    def stream_cancelled(self) -> None:
        """The peer has reset a stream. Raises ConnectionProblem if it did so too often."""

    @abstractmethod
    def setting(self, key: int, value: int) -> None:
        """The peer has said this about itself."""

    @abstractmethod
    def told_to_go(self, last_stream: int, code: int) -> None:
        """The peer ends the connection; it will not look at streams above last_stream."""

    @abstractmethod
    def gave_up(self, problem: ConnectionProblem) -> None:
        """The connection has ended for a fault of the peer; a GOAWAY is in the output."""

    @abstractmethod
    def output_begun(self) -> None:
        """There is output where there was none."""

    @abstractmethod
    def output_full(self) -> None:
        """There is so much output that it is to be written now."""


# Not of each connection: methods that are bound to it would hold it until somebody looks for cycles.
_HANDLERS: Final[tuple[Callable[[Connection, Frame], None], ...]] = (
    Connection._data, Connection._headers, Connection._priority, Connection._rst_stream, Connection._settings,
    Connection._push_promise, Connection._ping, Connection._goaway, Connection._window_update, Connection._continuation,
)  # fmt: skip
