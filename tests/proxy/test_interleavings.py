"""Whatever happens in whatever order, each exchange ends once, and nothing is left over.

The proxy's two protocols are driven directly here, over transports that exist on paper only: so every order of events can be
had, also those that sockets show once in a thousand hours.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Backend, Destination
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure, Kind
from cfroute.proxy.front import Front
from cfroute.proxy.server import Limits, ProxyServer
from cfroute.testing import ManualClock

from .plumbing import Forward, get, post

pytestmark = pytest.mark.anyio


class Paper:
    """A transport that keeps what is written, and tells its protocol what the event loop would."""

    def __init__(self, protocol: Front | Backend, soon: list[Callable[[], object]]) -> None:
        self.protocol = protocol
        self.written = bytearray()
        self.blocked = self.closing = self.reading = False
        self.lost = False
        self._soon = soon
        self.reading = True
        protocol.connection_made(self)  # type: ignore[arg-type]

    def write(self, data: bytes) -> None:
        assert data
        if not self.closing:
            self.written += data

    def get_write_buffer_size(self) -> int:
        return 100_000 if self.blocked else 0

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1) if name.endswith("name") else None

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        assert not self.closing

    def pause_reading(self) -> None:
        assert self.reading or self.closing
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading or self.closing
        self.reading = True

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            if not self.blocked:
                self._soon.append(lambda: self._lose(None))

    def abort(self) -> None:
        self.closing = True
        self._soon.append(lambda: self._lose(None))

    def _lose(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = self.closing = True
            self.protocol.connection_lost(error)

    # What the other end does

    def arrive(self, data: bytes) -> None:
        if self.reading and not self.closing:
            self.protocol.data_received(data)

    def end(self) -> None:
        if self.reading and not self.closing:
            assert not self.protocol.eof_received()
            self.close()

    def reset(self) -> None:
        if not self.lost:
            self.closing = True
            self._lose(ConnectionResetError(104, "Connection reset by peer"))

    def block(self) -> None:
        exchange = self.protocol.exchange
        something = isinstance(self.protocol, Front) or (exchange is not None and exchange.request.length)
        if something and not self.blocked and not self.lost:
            self.blocked = True
            self.protocol.pause_writing()

    def unblock(self) -> None:
        if self.blocked and not self.lost:
            self.blocked = False
            self.protocol.resume_writing()
            if self.closing:
                self._soon.append(lambda: self._lose(None))


class Imagined(Destination):
    """A destination whose dials succeed or fail when the test says so."""

    def __init__(self, world: "World") -> None:
        super().__init__("127.0.0.1", 1)
        self.world = world

    async def dial(self) -> Backend:
        arrived: asyncio.Future[Backend] = asyncio.get_running_loop().create_future()
        self.world.dials.append(arrived)
        return await arrived


class Chronicle(Forward):
    """A policy that allows three attempts and writes down what it is told of each exchange."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[Exchange, str] = {}

    def note(self, exchange: Exchange, letter: str) -> None:
        self.of[exchange] = self.of.get(exchange, "") + letter

    def begin(self, exchange: Exchange) -> Answer | None:
        self.note(exchange, "b")
        super().begin(exchange)
        return Answer(404, b"no") if exchange.request.path == b"/no" else None

    def failed(self, exchange: Exchange, failure: Failure) -> Answer | None:
        self.note(exchange, "c" if failure.kind is Kind.CANCELLED else "f")
        return super().failed(exchange, failure)

    def response(self, exchange: Exchange, response: Any) -> Answer | None:
        self.note(exchange, "r")
        return super().response(exchange, response)

    def finished(self, exchange: Exchange) -> None:
        self.note(exchange, "e")
        super().finished(exchange)


ORDER = re.compile(r"b(f{0,3}|f{0,2}(c|rf?)?)e")  # f after r: a body that is broken when the response has begun does not count


class World:
    """A server with one client and as many backends as it dials."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], object]] = []
        self.dials: list[asyncio.Future[Backend]] = []
        self.backends: list[Paper] = []
        self.clock = ManualClock()
        self.policy = Chronicle()
        self.policy.destinations = [Imagined(self)] * 3
        self.server = ProxyServer(self.policy, self.clock, Limits(head_timeout=10, idle_timeout=30, exchange_timeout=20))
        self.clients: list[Paper] = []
        self.connect()

    def connect(self) -> None:
        self.clients.append(Paper(Front(self.server), self.soon))

    def dialled(self, well: bool) -> None:
        if self.dials:
            arrived = self.dials.pop(0)
            if not well:
                arrived.set_exception(Failure(Kind.DIAL, "refused"))
                return
            backend = Backend(self.policy.destinations[0])
            self.backends.append(Paper(backend, self.soon))
            arrived.set_result(backend)

    async def turn(self) -> None:
        """Let the event loop do what it has been asked to do."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        soon, self.soon[:] = self.soon[:], []
        for call in soon:
            call()

    def check(self) -> None:
        """What holds at any time."""
        idle = self.policy.destinations[0].idle
        assert len(set(map(id, idle))) == len(idle)
        for backend in idle:
            assert backend.exchange is None
            assert not backend.paused
            assert backend.closed or not backend.transport.get_write_buffer_size()
        for paper in self.backends:
            backend = paper.protocol
            assert isinstance(backend, Backend)
            if backend.exchange is not None:
                assert backend.exchange.backend is backend
                assert not backend.exchange.finished
        for front in self.server.connections:
            if not front.transport.is_closing():
                self.check_flow(front)

    def check_flow(self, front: Front) -> None:
        """Nobody is kept from reading without a reason."""
        exchange = front.exchange
        if exchange is None:
            assert front._blocked or front.closing or not front._paused
        elif exchange.backend is not None and not exchange.backend.closed:
            assert front._blocked or not exchange.backend.paused
            if not exchange.body_done and not exchange.backend.blocked:
                assert not front._paused

    async def stop(self) -> None:
        self.server.abort()
        self.policy.destinations[0].close()
        for _ in range(4):
            while self.dials:
                self.dialled(False)
            await self.turn()
        self.check()
        assert not self.server.connections
        assert len(self.server.deadlines) == len(self.server.heads) == len(self.server.idle) == 0
        for exchange, told in self.policy.of.items():
            assert ORDER.fullmatch(told), (told, exchange)
            assert exchange.finished
            assert exchange.backend is None
        for paper in self.backends:
            assert paper.closing or paper.protocol in self.policy.destinations[0].idle


FROM_CLIENT = (
    get(), get("/no"), get() * 3, get("/no") * 2 + get(), get()[:10], b"/", b"\r\n", b"nonsense\r\n\r\n",
    post(b"abc"), post(b"abc")[:-2], b"bc", b"x" * 70_000, get("/", "Content-Length: 300000", method="POST"),
    get("/no", "Content-Length: 300000", method="POST"), b"y" * 200_000,
    get("/", "Transfer-Encoding: chunked", method="POST"), b"3\r\nabc\r\n", b"0\r\n\r\n", b"zz\r\n",
    get("/", "Connection: upgrade", "Upgrade: websocket"), get("/", "Connection: close"), get(version="1.0"),
    get("/", "Content-Length: 3", "Expect: 100-continue", method="POST"), get(method="HEAD"), get("*", method="OPTIONS"),
)  # fmt: skip
FROM_BACKEND = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok", b"o",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\nok\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"zz\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 2",
    b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\n\r\n", b"nonsense\r\n",
    b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"x" * 100_000,
)  # fmt: skip
ENDS = ("end", "reset", "block", "unblock")
STEPS = st.one_of(
    st.tuples(st.just("client"), st.sampled_from(FROM_CLIENT)),
    st.tuples(st.just("client"), st.sampled_from(FROM_CLIENT[:4])),
    st.tuples(st.just("client"), st.sampled_from(ENDS)),
    st.tuples(st.just("backend"), st.sampled_from(FROM_BACKEND)),
    st.tuples(st.just("backend"), st.sampled_from(FROM_BACKEND[:3])),
    st.tuples(st.just("backend"), st.sampled_from(ENDS)),
    st.tuples(st.just("other backend"), st.sampled_from((*FROM_BACKEND[:4], *ENDS))),
    st.tuples(st.just("dial"), st.sampled_from([True, True, True, False])),
    st.tuples(st.just("turn"), st.none()),
    st.tuples(st.just("time"), st.sampled_from([1.0, 11.0, 21.0])),
    st.tuples(st.just("connect"), st.none()),
    st.tuples(st.just("drain"), st.none()),
)


async def do(world: World, who: str, what: Any) -> None:
    match who:
        case "turn":
            await world.turn()
        case "time":
            world.clock.advance(what)
        case "connect":
            world.connect()
        case "dial":
            world.dialled(what)
            await world.turn()
        case "drain":
            for front in list(world.server.connections):
                front.closing = True
                if front.exchange is None:
                    front.close()
        case _:
            papers = world.clients if who == "client" else world.backends
            if papers:
                paper = papers[0 if who == "other backend" else -1]
                paper.arrive(what) if isinstance(what, bytes) else getattr(paper, what)()


@given(st.lists(st.tuples(STEPS, st.sampled_from([True, True, True, False])), min_size=3, max_size=40))
@settings(max_examples=250)
async def test_every_exchange_ends_once(steps: list[tuple[tuple[str, Any], bool]]) -> None:
    world = World()
    for (who, what), settle in steps:
        await do(world, who, what)
        if settle:
            world.dialled(True)
            await world.turn()
        world.check()
    await world.stop()
