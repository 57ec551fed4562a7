"""A client's connection, with a call on each stream."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, cast

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.grpc import wire
from cfroute.grpc.status import Code, RpcError
from cfroute.http2.budget import Budget
from cfroute.http2.frames import ErrorCode, StreamProblem
from cfroute.http2.server_side import ServerSide
from cfroute.http2.stream import Stream
from cfroute.proxy.deadline import Deadlines

Handler = Callable[[bytes], Awaitable[bytes]]
"""Answers one message. Raises RpcError."""

MOST_STREAMS: Final = 100
"""Calls that a client may have at a time, as with Go's server."""
_MOST_FIELDS: Final = 8192  # bytes of a decoded header list


class Server(Protocol):
    """What a connection knows of the server that has taken it."""

    @property
    def methods(self) -> Mapping[str, Handler]: ...

    services: set[str]
    clock: Clock
    requests: "Deadlines[ServerStream]"

    def connected(self, connection: "ServerConnection") -> None: ...

    def greeted(self, connection: "ServerConnection") -> None: ...

    def used(self, connection: "ServerConnection") -> None: ...

    def disconnected(self, connection: "ServerConnection") -> None: ...


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


class ServerConnection(ServerSide):
    """One client."""

    def __init__(self, server: Server) -> None:
        super().__init__(
            server.clock,
            list_limit=_MOST_FIELDS,
            most_streams=MOST_STREAMS,
            control=Budget(20_000, 10_000.0),  # grpcio sends a few of them with each call
            cancels=Budget(1000, 500.0),
        )
        self.server = server

    def __repr__(self) -> str:
        return f"<ServerConnection {'closing' if self.closing else 'open'} streams={len(self.streams)}>"

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.server.connected(self)

    def greeted(self) -> None:
        self.server.greeted(self)

    def disconnected(self) -> None:
        self.server.disconnected(self)

    # The connection's side

    @property
    def highest_processed(self) -> int:
        return self.last_stream

    def begin(self, stream_id: int, block: bytes, *, end: bool) -> None:
        fields = wire.fields_of(self.decoder.decode(block))
        if not self.takes(stream_id):
            return
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
        self.close_when_done()

    # The server's side

    def close_when_done(self) -> None:
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
