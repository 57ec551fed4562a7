"""Targets that are connections on paper: whatever comes, in whatever pieces, nothing raises and what waits is bounded.

The first byte says how large the pieces are; what comes out must not depend on that.
"""

import asyncio
import logging
from typing import Any

import h11

from cfroute.http2.frames import PREFACE
from cfroute.http2.front import MOST_STREAMS
from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Backend, Destination
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure
from cfroute.proxy.front import Front
from cfroute.proxy.server import Limits, Observer, ProxyServer
from cfroute.testing import ManualClock

from ..http2.plumbing import Decide, Silent, Sink, Wire
from ..http2.plumbing import Front as Http2Client
from ..http2.test_backend import Behind

_MOST_HELD = 1 << 20  # bytes
logging.getLogger("hpack").setLevel(logging.WARNING)


class Strict(Observer):
    """A defect fails the test."""

    def panicked(self, exchange: Exchange, defect: Exception) -> None:
        raise AssertionError(f"{exchange!r} failed") from defect


class Answering(Sink):
    """Answers once the request is complete."""

    def send(self, exchange: Exchange, line: Any, body: list[bytes] | None) -> None:
        super().send(exchange, line, body)
        if exchange.body_done:
            asyncio.get_running_loop().call_soon(self._answer)

    def body(self, data: bytes, *, last: bool) -> None:
        super().body(data, last=last)
        if last:
            self._answer()

    def _answer(self) -> None:
        if self.exchange is not None and not self.exchange.finished:
            self.exchange.answer(Answer(200, b"ok"))


class Answers(Decide):
    """Sends every request to a sink that answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = None

    def destination(self, exchange: Exchange) -> Destination:
        self.sinks.append(Answering())
        return Silent(self.sinks[-1])


class OneBackend(Decide):
    """Sends every request to one connection, over which the test answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = None
        self.wire = Wire()
        self.to = Destination("127.0.0.1", 1, clock=ManualClock())
        self.backend = Backend(self.to)
        self.backend.connection_made(self.wire)  # type: ignore[arg-type]
        self.to.idle.append(self.backend)

    def destination(self, exchange: Exchange) -> Destination:
        return self.to

    def response(self, exchange: Exchange, response: Any) -> Answer | None:
        response.remove_hop_by_hop()
        return None

    def failed(self, exchange: Exchange, failure: Failure) -> Answer | None:
        return Answer(502)


def _client(policy: Decide) -> tuple[Front, Wire]:
    front, wire = Front(ProxyServer(policy, ManualClock(), Limits(request_head=4096), Strict())), Wire()
    front.connection_made(wire)  # type: ignore[arg-type]
    return front, wire


async def _feed(protocol: Any, wire: Wire, data: bytes, size: int) -> None:
    for position in range(0, len(data), size):
        if wire.closed or not wire.reading:
            return
        protocol.data_received(data[position : position + size])
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def http1(data: bytes) -> None:
    """Requests of a client: the same ones reach backends, whole and in pieces."""

    async def run(size: int) -> tuple[Any, int]:
        policy = Answers()
        front, wire = _client(policy)
        await _feed(front, wire, data[1:], size)
        for _ in range(100):
            await asyncio.sleep(0)
        both = zip(policy.requests, policy.sinks, strict=True)
        # How much there is of a body that breaks off is nobody's business.
        seen = [(repr(one), one.headers, sink.last, bytes(sink.taken) if sink.last else b"") for one, sink in both]
        assert len(front._buffer) <= _MOST_HELD
        statuses = bytes(wire.written).count(b"HTTP/1.1 200 OK\r\n")
        front.connection_lost(None)
        assert len(policy.finished_ones) == len(policy.requests)
        return seen, statuses

    size = data[0] % 16 + 1 if data else 1
    whole, pieces = asyncio.run(run(1 << 20)), asyncio.run(run(size))
    assert whole == pieces


def answers(data: bytes) -> None:
    """What a backend says: a client gets a response, a broken one, or a 502, and the same whole and in pieces."""

    async def run(size: int) -> bytes:
        policy = OneBackend()
        front, wire = _client(policy)
        front.data_received(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await _feed(policy.backend, policy.wire, data[1:], size)
        assert len(policy.backend._buffer) <= _MOST_HELD
        if not policy.backend.closed:
            policy.backend.connection_lost(None)
        assert len(policy.finished_ones) == 1
        return bytes(wire.written)

    size = data[0] % 16 + 1 if data else 1
    whole, pieces = asyncio.run(run(1 << 20)), asyncio.run(run(size))
    assert _alike(_read(whole), _read(pieces))


def _alike(one: list[Any], other: list[Any]) -> bool:
    """Whether they are the same, or broken at the same place but for some bytes of the body."""
    if one == other:
        return True
    bodies = [b"".join(item for item in found if isinstance(item, bytes)) for found in (one, other)]
    heads = [[item for item in found if not isinstance(item, bytes)] for found in (one, other)]
    ended = any(isinstance(item, h11.EndOfMessage) for found in heads for item in found)
    return not ended and heads[0] == heads[1] and (bodies[0].startswith(bodies[1]) or bodies[1].startswith(bodies[0]))


def _read(data: bytes) -> list[Any]:
    """The responses in it, by a strict reader."""
    strict = h11.Connection(h11.CLIENT)
    strict.send(h11.Request(method="GET", target="/", headers=[("Host", "a.test")]))
    strict.send(h11.EndOfMessage())
    strict.receive_data(data)
    found: list[Any] = []
    while (event := strict.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
        if isinstance(event, h11.Data):
            if found and isinstance(found[-1], bytes):
                found[-1] += bytes(event.data)
            else:
                found.append(bytes(event.data))
        elif isinstance(event, h11.Response | h11.InformationalResponse):
            found.append((event.status_code, list(event.headers.raw_items())))
        else:
            found.append(event)
            break
    rest, _ = strict.trailing_data
    assert not rest or strict.their_state in (h11.SWITCHED_PROTOCOL, h11.MIGHT_SWITCH_PROTOCOL)
    return found


def http2(data: bytes) -> None:
    """Frames of a client, behind a proper begin."""

    async def run(size: int) -> None:
        front = Http2Client()
        front.policy.answer = Answer(200, b"ok") if data[:1] < b"\x80" else None
        rest = data[1:]
        for position in range(0, len(rest), size):
            front.front.data_received(rest[position : position + size])
        front.front.write_out()
        assert len(front.front.streams) <= MOST_STREAMS
        assert len(front.wire.written) < 100 * (len(data) + 1000)
        front.front.connection_lost(None)
        assert not front.front.streams
        assert len(front.policy.finished_ones) == len(front.policy.requests)

    asyncio.run(run(1 << 20))
    asyncio.run(run(data[0] % 16 + 1 if data else 1))


def http2_begin(data: bytes) -> None:
    """The very first bytes of a client."""

    async def run() -> None:
        front = Http2Client(greet=False)
        front.front.data_received(PREFACE[: data[0] if data else 0] + data[1:])
        front.front.connection_lost(None)

    asyncio.run(run())


def http2_answers(data: bytes) -> None:
    """Frames of a backend, to three requests."""

    async def run(size: int) -> None:
        both = Behind()
        for number in (1, 3, 5):
            both.request(number)
        rest = data[1:]
        for position in range(0, len(rest), size):
            if not both.backend.closed:
                both.backend.data_received(rest[position : position + size])
                await asyncio.sleep(0)
        if not both.backend.closed:
            both.backend.connection_lost(None)
        both.front.connection_lost(None)
        for _ in range(3):
            await asyncio.sleep(0)
        assert not both.backend.streams
        assert len(both.policy.finished_ones) == len(both.policy.requests)

    asyncio.run(run(1 << 20))
    asyncio.run(run(data[0] % 16 + 1 if data else 1))
