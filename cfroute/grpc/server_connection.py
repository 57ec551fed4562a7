"""A client's connection, with a call on each stream."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, cast

from cfroute import daemon
from cfroute.grpc import wire
from cfroute.grpc.status import Code, RpcError
from cfroute.http2 import frames
from cfroute.http2.budget import Budget
from cfroute.http2.frames import ConnectionProblem, ErrorCode, StreamProblem
from cfroute.http2.stream import Stream
from cfroute.http2.transport import Carrier

if TYPE_CHECKING:
    from cfroute.grpc.serving import Server

Handler = Callable[[bytes], Awaitable[bytes]]
"""Answers one message. Raises RpcError."""

MOST_STREAMS: Final = 100
"""Calls that a client may have at a time, as with Go's server."""
_MOST_FIELDS: Final = 8192  # bytes of a decoded header list
_LINGER: Final = 0.5  # seconds that a client gets to read why it is sent away


class ServerStream(Stream):
    """One call."""

    __slots__ = ("_data", "_size", "handler", "owner")

    def __init__(self, connection: "ServerConnection", stream_id: int, handler: Handler) -> None:
        super().__init__(connection, stream_id)
        self.owner = connection
        self.handler = handler
        self._data: list[bytes] = []
        self._size = 0

    def data(self, data: bytes, *, end: bool) -> None:
        if self.local_ended:
            return
        self._data.append(data)
        self._size += len(data)
        if wire.is_too_large(self._size):
            self.fail(wire.too_large(b"".join(self._data)))
            self._data.clear()
        elif end:
            self.owner.server.requests.discard(self)
            daemon.spawn(self._serve(b"".join(self._data)), name="call")

    async def _serve(self, data: bytes) -> None:
        """Answer. What was begun is finished, even when the client has lost interest: nobody knows how far it got."""
        try:
            answer = await self.handler(wire.message_of(data))
        except RpcError as error:
            self.fail(error)
            return
        except Exception:
            self.fail(RpcError(Code.INTERNAL, "internal error"))
            raise  # the event loop tells of it
        if not self.closed:
            self.owner.put_block(self.id, wire.response_block(), end=False)
            self.send_data(wire.framed(answer), end=False)
            self.send_end(wire.trailer_block(None))

    def fail(self, error: RpcError) -> None:
        """The call ends with this error and without a message."""
        if not self.closed:
            self.finish(wire.response_block() + wire.trailer_block(error))

    def finish(self, block: bytes) -> None:
        """These fields are all that there is to say."""
        self.owner.put_block(self.id, block, end=True)
        self._local_end()

    def headers(self, block: bytes, *, end: bool) -> None:
        self.owner.decoder.decode(block)
        if not end:
            raise StreamProblem(self.id, ErrorCode.PROTOCOL_ERROR)
        self.data(b"", end=True)  # trailers of requests mean nothing here

    def sent_all(self) -> None:
        self.reset(ErrorCode.NO_ERROR)  # nobody wants the rest of the request

    def was_reset(self, code: int, text: str) -> None:
        self._data.clear()

    def timed_out(self) -> None:
        """The request does not come to its end."""
        self.fail(RpcError(Code.DEADLINE_EXCEEDED, "request did not come in time"))

    def choked(self) -> None:
        """There is one small message: it waits."""

    def relieved(self) -> None:
        """It went."""


class ServerConnection(Carrier):
    """One client."""

    def __init__(self, server: "Server") -> None:
        super().__init__(_MOST_FIELDS)
        self.server = server
        self.closing = False
        self._preface = frames.PREFACE
        self._control = Budget(20_000, 10_000.0)  # grpcio sends a few of them with each call
        self._cancels = Budget(1000, 500.0)

    def __repr__(self) -> str:
        return f"<ServerConnection {'closing' if self.closing else 'open'} streams={len(self.streams)}>"

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.open({frames.MAX_CONCURRENT_STREAMS: MOST_STREAMS, frames.MAX_HEADER_LIST_SIZE: _MOST_FIELDS})
        self.server.connected(self)

    def data_received(self, data: bytes) -> None:
        if self._preface:
            size = min(len(self._preface), len(data))
            if data[:size] != self._preface[:size]:
                self.fail(ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "bogus greeting"))
                return
            self._preface, data = self._preface[size:], data[size:]
            if not self._preface:
                self.server.greeted(self)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = self.broken = True
        self.server.disconnected(self)
        for stream in list(self.streams.values()):
            stream.forget()
            stream.was_reset(ErrorCode.CANCEL, "")

    # The connection's side

    @property
    def highest_processed(self) -> int:
        return self.last_stream

    def begin_stream(self, stream_id: int, block: bytes, *, end: bool) -> None:
        if stream_id % 2 == 0 or stream_id <= self.last_stream:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "a bad stream number")
        self.last_stream = stream_id
        fields = wire.fields_of(self.decoder.decode(block))
        if self.closing:
            self.note_reset(stream_id)  # the client knows from our GOAWAY that nobody looked at it
            return
        if len(self.streams) >= MOST_STREAMS:
            raise StreamProblem(stream_id, ErrorCode.REFUSED_STREAM)
        path = fields.get(b":path", b"").decode("latin-1")
        handler = self.server.methods.get(path)
        stream = self.streams[stream_id] = ServerStream(self, stream_id, handler or _nothing)
        stream.remote_ended = end
        self.server.used(self)
        if not wire.is_call(fields):
            stream.finish(wire.refusal_block())
        elif handler is None:
            stream.fail(wire.unknown(path, self.server.services))
        elif end:
            stream.data(b"", end=True)
        else:
            self.server.requests.add(stream)

    def closed_stream(self, stream: Stream) -> None:
        super().closed_stream(stream)
        assert isinstance(stream, ServerStream)
        self.server.requests.discard(stream)
        self._close_when_done()

    def costs_nothing(self) -> None:
        if not self._control.spend(self.server.clock.monotonic()):
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings")

    def stream_cancelled(self) -> None:
        if not self._cancels.spend(self.server.clock.monotonic()):
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "too many calls are cancelled")

    def setting(self, key: int, value: int) -> None:
        """Nothing that concerns a server."""

    def told_to_go(self, last_stream: int, code: int) -> None:
        self.closing = True
        self._close_when_done()

    def gave_up(self, problem: ConnectionProblem) -> None:
        self.closing = True
        self.write_out()
        for stream in list(self.streams.values()):
            stream.forget()
            stream.was_reset(problem.code, problem.text)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.server.clock.call_later(_LINGER, self.transport.close)

    # The server's side

    def drain(self) -> None:
        """Take no new calls; those under way are finished, then the connection is closed."""
        if not self.closing:
            self.closing = True
            self.put(frames.goaway(self.last_stream, ErrorCode.NO_ERROR))
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self.closing and not self.streams and not self.broken and not self.transport.is_closing():
            self.write_out()
            self.transport.close()

    def abort(self) -> None:
        """End at once."""
        self.transport.abort()

    def protocol(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, self)


async def _nothing(message: bytes) -> bytes:
    """For methods that there are not: they are answered before their message comes."""
    return b""
