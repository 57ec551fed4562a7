"""A connection to a server, with a call on each stream."""

import asyncio
from typing import Final

from cfroute.grpc import wire
from cfroute.grpc.status import Code, RpcError
from cfroute.http2 import frames
from cfroute.http2.frames import ConnectionProblem, ErrorCode, error_name
from cfroute.http2.stream import Stream
from cfroute.http2.transport import Carrier
from cfroute.proxy.failure import lost_failure

_MOST_FIELDS: Final = 16384  # bytes of a decoded header list
_LAST_STREAM: Final = 2**31 - 1
# What the end of a stream means for its call.
_OF_RESET: Final = {
    int(ErrorCode.REFUSED_STREAM): Code.UNAVAILABLE,
    int(ErrorCode.CANCEL): Code.CANCELLED,
    int(ErrorCode.ENHANCE_YOUR_CALM): Code.RESOURCE_EXHAUSTED,
    int(ErrorCode.INADEQUATE_SECURITY): Code.PERMISSION_DENIED,
}


class ClientStream(Stream):
    """One call. `answer` is the message that comes back, or an RpcError."""

    __slots__ = ("_data", "_head_seen", "_size", "answer", "owner")

    def __init__(self, connection: "ClientConnection", stream_id: int) -> None:
        super().__init__(connection, stream_id)
        self.owner = connection
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._data: list[bytes] = []
        self._size = 0
        self._head_seen = False

    def headers(self, block: bytes, *, end: bool) -> None:
        fields = wire.fields_of(self.owner.decoder.decode(block))
        if not self._head_seen:
            if fields.get(b":status", b"")[:1] == b"1" and not end:
                return
            self._head_seen = True
            problem = wire.response_problem(fields)
            if problem is not None:
                self._fail(problem)
                return
        if end:
            self._ended(wire.outcome(fields))

    def _ended(self, error: RpcError | None) -> None:
        if error is not None:
            self._fail(error)
            return
        try:
            message = wire.message_of(b"".join(self._data))
        except RpcError as problem:
            self._fail(problem)
            return
        if not self.answer.done():
            self.answer.set_result(message)

    def data(self, data: bytes, *, end: bool) -> None:
        self._data.append(data)
        self._size += len(data)
        if wire.is_too_large(self._size):
            self._fail(wire.too_large(b"".join(self._data)))
            self._data.clear()
        elif end:
            self._fail(RpcError(Code.UNKNOWN, "server closed the stream without sending trailers"))

    def _fail(self, error: RpcError) -> None:
        """The call has failed; what else comes is not wanted."""
        self.give_up(error)
        if not self.remote_ended:
            self.reset(ErrorCode.CANCEL)

    def give_up(self, error: RpcError) -> None:
        """Whoever waits for the answer gets this error."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def was_reset(self, code: int, text: str) -> None:
        reason = f"stream terminated by RST_STREAM with error code: {error_name(code)}"
        self.give_up(RpcError(_OF_RESET.get(code, Code.INTERNAL), reason))

    def choked(self) -> None:
        """There is one small message: it waits."""

    def relieved(self) -> None:
        """It went."""

    def sent_all(self) -> None:
        """The answer is still to come."""


class ClientConnection(Carrier):
    """One connection; `usable` until it takes no new calls.

    `ready` is done once the server has said something: by then it has let us in. It may end with a Failure instead.
    """

    def __init__(self) -> None:
        super().__init__(_MOST_FIELDS)
        self.usable = True
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"<ClientConnection {'usable' if self.usable else 'retired'} streams={len(self.streams)}>"

    async def call(self, head: bytes, message: bytes) -> bytes:
        """The answer to a call; `head` are its encoded fields. Raises RpcError."""
        number = self.last_stream + (2 if self.last_stream else 1)
        self.last_stream = number
        self.usable = self.usable and number < _LAST_STREAM
        stream = self.streams[number] = ClientStream(self, number)
        self.put_block(number, head, end=False)
        stream.send_data(wire.framed(message), end=True)
        try:
            return await stream.answer
        except asyncio.CancelledError:
            stream.reset(ErrorCode.CANCEL)
            raise

    def close(self) -> None:
        """End the connection; calls under way fail."""
        self.usable = False
        self._give_up(self.streams, RpcError(Code.CANCELLED, "grpc: the client connection is closing"))
        self.put(frames.goaway(0, ErrorCode.NO_ERROR))
        self.write_out()
        self.transport.close()

    def _give_up(self, streams: dict[int, Stream], error: RpcError) -> None:
        for stream in list(streams.values()):
            assert isinstance(stream, ClientStream)
            stream.forget()
            stream.give_up(error)

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.put(frames.PREFACE)
        self.open({frames.ENABLE_PUSH: 0, frames.MAX_HEADER_LIST_SIZE: _MOST_FIELDS})

    def receive(self, data: bytes) -> None:
        super().receive(data)
        if self._settled and not self.ready.done():
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if not self.ready.done():
            self.ready.set_exception(lost_failure(exc, ""))
            self.ready.exception()  # it is no secret, should nobody wait any more
        self.broken = True
        reason = str(exc) if exc is not None else "EOF"
        self._give_up(self.streams, RpcError(Code.UNAVAILABLE, f"error reading from server: {reason}"))

    # The connection's side

    @property
    def highest_processed(self) -> int:
        return 0

    def begin_stream(self, stream_id: int, block: bytes, *, end: bool) -> None:
        raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "a server opens no streams")

    def costs_nothing(self) -> None:
        """The server is trusted with that."""

    def stream_cancelled(self) -> None:
        """It may refuse as many calls as it likes."""

    def setting(self, key: int, value: int) -> None:
        """How many calls it takes at a time: more than are ever made here."""

    def told_to_go(self, last_stream: int, code: int) -> None:
        self.usable = False
        unseen = {number: stream for number, stream in self.streams.items() if number > last_stream}
        self._give_up(unseen, RpcError(Code.UNAVAILABLE, f"the server is going away: {error_name(code)}"))
        if not self.streams:
            self.close()

    def closed_stream(self, stream: Stream) -> None:
        super().closed_stream(stream)
        if not self.usable and not self.streams and not self.broken and not self.transport.is_closing():
            self.close()

    def gave_up(self, problem: ConnectionProblem) -> None:
        self.usable = False
        self.write_out()
        self.transport.close()
        self._give_up(self.streams, RpcError(Code.UNAVAILABLE, f"the server breaks the rules of HTTP/2: {problem.text}"))
