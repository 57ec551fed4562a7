"""A client's connection that speaks HTTP/2."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

from cfroute.http2 import frames
from cfroute.http2.budget import Budget
from cfroute.http2.client_stream import ClientStream
from cfroute.http2.frames import ConnectionProblem, ErrorCode, StreamProblem
from cfroute.http2.messages import Malformed, Refused, request_head
from cfroute.http2.stream import Stream
from cfroute.http2.transport import Carrier
from cfroute.proxy.answer import Answer
from cfroute.proxy.head import RequestHead
from cfroute.proxy.wire import address

if TYPE_CHECKING:
    from cfroute.proxy.server import ProxyServer

MOST_STREAMS: Final = 250
"""Streams that a client may have at a time, as with Go's server."""
_LINGER: Final = 0.5  # seconds that a client gets to read why it is sent away


class Http2Front(Carrier):
    """One client connection, with a request on each stream.

    peer is the client's address as host and port, client the same as text; closing is set once no new stream is taken.
    """

    peer: tuple[str, int]
    client: bytes
    local: tuple[str, int]
    tls: ssl.SSLObject | None

    def __init__(self, server: "ProxyServer") -> None:
        super().__init__(server.limits.request_head)
        self.server = server
        self._control = Budget(10_000, 1000.0)
        self._cancels = Budget(1000, 500.0)
        self.closing = False
        self._active = 0  # exchanges that are under way
        self._processed = 0  # the last stream that was looked at
        self._preface = frames.PREFACE

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
        self.open({
            frames.MAX_CONCURRENT_STREAMS: MOST_STREAMS,
            frames.MAX_HEADER_LIST_SIZE: self.server.limits.request_head,
        })
        self.server.connected(self)

    def data_received(self, data: bytes) -> None:
        if self._preface:
            size = min(len(self._preface), len(data))
            if data[:size] != self._preface[:size]:
                self.fail(ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "bogus greeting"))
                return
            self._preface, data = self._preface[size:], data[size:]
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
        return self._processed

    def begin_stream(self, stream_id: int, block: bytes, *, end: bool) -> None:
        if stream_id % 2 == 0 or stream_id <= self.last_stream:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "a bad stream number")
        self.last_stream = stream_id
        try:
            request = self._request(block, end=end)
        except Malformed as error:
            raise StreamProblem(stream_id, ErrorCode.PROTOCOL_ERROR) from error
        except Refused as refused:
            self._answer(stream_id, refused.answer, end=end)
            return
        if self.closing:
            self.note_reset(stream_id)  # the client knows from our GOAWAY that nobody looked at it
            return
        if len(self.streams) >= MOST_STREAMS:
            raise StreamProblem(stream_id, ErrorCode.REFUSED_STREAM)
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

    def costs_nothing(self) -> None:
        if not self._control.spend(self.server.clock.monotonic()):
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "too many control frames")

    def stream_cancelled(self) -> None:
        if not self._cancels.spend(self.server.clock.monotonic()):
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "too many streams are reset")

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

    def closed_stream(self, stream: Stream) -> None:
        super().closed_stream(stream)
        self._close_when_done()

    def exchange_over(self) -> None:
        """One exchange fewer is under way."""
        self._active -= 1
        if not self._active and not self.transport.is_closing():
            self.server.idle.add(self)
            self._close_when_done()

    def _close_when_done(self) -> None:
        if self.closing and not self.streams and not self._active and not self.broken:
            self.close()

    # The server's side

    @property
    def busy(self) -> bool:
        """Whether a request is being served."""
        return self._active > 0

    def drain(self) -> None:
        """Take no new streams; those under way are finished, then the connection is closed."""
        if not self.closing:
            self.closing = True
            self.put(frames.goaway(self._processed, ErrorCode.NO_ERROR))
        self._close_when_done()

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
