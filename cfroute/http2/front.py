"""A client's connection that speaks HTTP/2."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

from cfroute.http2.budget import Budget
from cfroute.http2.client_stream import ClientStream
from cfroute.http2.frames import ErrorCode, StreamProblem
from cfroute.http2.messages import Malformed, Refused, request_head
from cfroute.http2.server_side import ServerSide
from cfroute.http2.stream import Stream
from cfroute.proxy.answer import Answer
from cfroute.proxy.head import RequestHead
from cfroute.proxy.wire import address

if TYPE_CHECKING:
    from cfroute.proxy.server import ProxyServer

MOST_STREAMS: Final = 250
"""Streams that a client may have at a time, as with Go's server."""


class Http2Front(ServerSide):
    """One client connection, with a request on each stream. peer is the client's host and port, client the same as text."""

    peer: tuple[str, int]
    client: bytes
    local: tuple[str, int]
    tls: ssl.SSLObject | None

    def __init__(self, server: "ProxyServer") -> None:
        super().__init__(
            server.clock,
            list_limit=server.limits.request_head,
            most_streams=MOST_STREAMS,
            control=Budget(10_000, 1000.0),
            cancels=Budget(1000, 500.0),
        )
        self.server = server
        self._active = 0  # exchanges that are under way
        self._processed = 0  # the last stream that was looked at

    def __repr__(self) -> str:
        state = "closing" if self.closing else "busy" if self._active else "idle"
        return f"<Http2Front {self.peer[0]}:{self.peer[1]} {state} streams={len(self.streams)}>"

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        name = transport.get_extra_info("peername") or ("", 0)
        self.peer = name[0], name[1]
        self.client = address(*self.peer).encode()
        local = transport.get_extra_info("sockname") or ("", 0)
        self.local = local[0], local[1]
        self.tls = transport.get_extra_info("ssl_object")
        self.server.connected(self)

    def disconnected(self) -> None:
        self.server.disconnected(self)

    # The connection's side

    @property
    def highest_processed(self) -> int:
        return self._processed

    def begin(self, stream_id: int, block: bytes, *, end: bool) -> None:
        try:
            request = self._request(block, end=end)
        except Malformed as error:
            raise StreamProblem(stream_id, ErrorCode.PROTOCOL_ERROR) from error
        except Refused as refused:
            self._answer(stream_id, refused.answer, end=end)
            return
        if not self.takes(stream_id):
            return
        if request.target == b"*" and request.method == b"OPTIONS":
            self._answer(stream_id, Answer(200), end=end)
            return
        stream = self.streams[stream_id] = ClientStream(self, stream_id)
        self._processed = stream_id
        if not self._active:
            self.server.idle.discard(self)
            self.server.heads.discard(self)
        self._active += 1
        stream.begin(request, end=end)

    def _request(self, block: bytes, *, end: bool) -> RequestHead:
        """The head of a request. Raises ConnectionProblem, Malformed and Refused."""
        decoder, key = self.decoder, (block, end)
        known = decoder.known.get(key)
        if known is not None:
            return cast(RequestHead, known).copy()
        head = request_head(decoder.decode(block), ended=end, limit=self.server.limits.request_head)
        return head.copy() if decoder.keep(key, head) else head

    def _answer(self, stream_id: int, answer: Answer, *, end: bool) -> None:
        """Answer a request that the policy does not get to see."""
        stream = self.streams[stream_id] = ClientStream(self, stream_id)
        stream.refuse(answer, end=end)

    def closed_stream(self, stream: Stream) -> None:
        super().closed_stream(stream)
        self.close_when_done()

    def exchange_over(self) -> None:
        """One exchange fewer is under way."""
        self._active -= 1
        if not self._active and not self.transport.is_closing():
            self.server.idle.add(self)
            self.close_when_done()

    def close_when_done(self) -> None:
        if self.closing and not self.streams and not self._active and not self.broken:
            self.close()

    # The server's side

    @property
    def busy(self) -> bool:
        """Whether a request is being served."""
        return self._active > 0

    def close(self) -> None:
        """Close once what was written has been sent."""
        if self.transport.is_closing():
            return
        self.closing = True
        self.write_out()
        self.transport.close()
        if self.transport.get_write_buffer_size():  # the client gets as long to read it as it may be idle
            self.server.idle.discard(self)
            self.server.idle.add(self)

    def idle_timed_out(self) -> None:
        """There was no request for too long."""
        if self.transport.is_closing():
            self.transport.abort()
        elif self.closing:
            self.close()  # although there are streams: nobody takes what they have to say
        else:
            self.drain()
            if not self.transport.is_closing():
                self.server.idle.add(self)

    def head_timed_out(self) -> None:
        """The first request took too long."""
        self.idle_timed_out()
