"""What goes to the Routing API, and what happens when it does not take it."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Iterable, Sequence

import pytest

from cfroute import daemon
from cfroute.diego.route_emitter.messages import Registration
from cfroute.diego.route_emitter.table import Changes
from cfroute.diego.route_emitter.tcp_outlet import TcpOutlet
from cfroute.http_client import Unreachable
from cfroute.lager import DEBUG, Lager, Sink
from cfroute.routing_api.api import TcpRoute
from cfroute.routing_api.errors import ApiError, unauthorized
from cfroute.testing.clock import ManualClock
from cfroute.uaa.client import UaaError

Said = tuple[str, str, tuple[int, ...]]


def routes(*ports: int) -> list[TcpRoute]:
    return [TcpRoute(router_group_guid="g", backend_ip="h", backend_port=61000, port=port, ttl=120) for port in ports]


class Peer:
    """UAA and Routing API: remembers what it was asked.

    The answers to the first requests are these `failures` (None: no failure), and there is no token `no_token` times.
    It answers when `free` is set.
    """

    def __init__(self, *failures: Exception | None, no_token: int = 0) -> None:
        self.asked: list[Said] = []
        self.answered = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()
        self._failures = list(failures)
        self._no_token = no_token
        self._tokens = 0

    async def fetch(self, *, anew: bool = False) -> str:
        self._tokens += anew
        if self._no_token:
            self._no_token -= 1
            raise UaaError("no token")
        return f"t{self._tokens}"

    async def create_tcp_routes(self, token: str, given: Sequence[TcpRoute]) -> None:
        await self._take("create", token, given)

    async def delete_tcp_routes(self, token: str, given: Sequence[TcpRoute]) -> None:
        await self._take("delete", token, given)

    async def _take(self, what: str, token: str, given: Iterable[TcpRoute]) -> None:
        self.asked.append((what, token, tuple(route.port for route in given)))
        self.answered.set()
        await self.free.wait()
        if self._failures and (failure := self._failures.pop(0)):
            raise failure

    async def asked_for(self, count: int) -> list[Said]:
        """What was asked, as soon as it is so much."""
        async with asyncio.timeout(30):
            while len(self.asked) < count:
                self.answered.clear()
                await self.answered.wait()
        for _ in range(10):  # would there be more?
            await asyncio.sleep(0)
        return self.asked


@contextlib.asynccontextmanager
async def working(peer: Peer, clock: ManualClock | None = None) -> AsyncIterator[tuple[TcpOutlet, io.StringIO]]:
    lines = io.StringIO()
    outlet = TcpOutlet(peer, peer, clock or ManualClock(), Lager("emitter", Sink(DEBUG, stream=lines)).session("tcp"))  # type: ignore[arg-type]
    work = daemon.spawn(outlet.run(), name="outlet")
    yield outlet, lines
    work.cancel()


def told(lines: io.StringIO, message: str) -> int:
    return lines.getvalue().count(f'"message":"emitter.tcp.{message}"')


@pytest.mark.statement("route emitter 4.3", "All registrations of an emit go in one request, then all unregistrations in another")
def test_one_request_for_each() -> None:
    async def scene() -> None:
        peer = Peer()
        async with working(peer) as (outlet, lines):
            http = Registration(host="h", port=1, uris=("a",))
            await outlet.emit(Changes([*routes(1, 2), http], routes(3, 4)), remember=True)
            assert await peer.asked_for(2) == [("create", "t0", (1, 2)), ("delete", "t0", (3, 4))]
            await outlet.emit_all([http, *routes(1)])
            assert (await peer.asked_for(3))[2:] == [("create", "t0", (1,))]
            await outlet.emit(Changes([http], [http]), remember=True)
            assert len(await peer.asked_for(3)) == 3
            assert told(lines, "successfully-emitted-events") == 2

    asyncio.run(scene())


@pytest.mark.statement("route emitter 4.3", "What fails is tried once more with a fresh token, both requests")
@pytest.mark.parametrize("failure", [unauthorized("x"), ApiError(400, "x", "some-guid not found"), Unreachable("x")])
def test_a_pair_is_tried_twice(failure: Exception) -> None:
    async def scene() -> None:
        peer = Peer(None, failure, None, failure)
        async with working(peer) as (outlet, lines):
            await outlet.emit(Changes(routes(1), routes(2)), remember=True)
            pair = [("create", (1,)), ("delete", (2,))]
            asked = await peer.asked_for(4)
            assert [(what, ports) for what, _, ports in asked] == pair * 2
            assert [token for _, token, _ in asked] == ["t0", "t0", "t1", "t1"]
            assert (told(lines, "unable-to-delete"), told(lines, "unable-to-upsert")) == (2, 0)
            await outlet.emit(Changes(routes(2), []), remember=True)
            assert (await peer.asked_for(5))[4:] == [("create", "t1", (2,))]

    asyncio.run(scene())


@pytest.mark.parametrize(("later", "again"), [(119, (2, 3, 5)), (121, (3, 5))])
def test_what_could_not_be_deleted_is_deleted_later(later: int, again: tuple[int, ...]) -> None:
    """As long as it is there: it expires 120 s after it was registered last, which was before it should be deleted."""

    async def scene() -> None:
        clock, away = ManualClock(), [Unreachable("x")] * 2
        peer = Peer(*away, *away)
        async with working(peer, clock) as (outlet, _):
            await outlet.emit(Changes([], routes(2)), remember=True)
            await peer.asked_for(2)
            clock.advance(10)
            await outlet.emit(Changes([], routes(3, 4)), remember=True)
            assert (await peer.asked_for(4))[2:] == [("delete", "t1", (2, 3, 4)), ("delete", "t2", (2, 3, 4))]
            clock.advance(later - 10)
            await outlet.emit(Changes(routes(4), routes(5)), remember=True)  # the one of them is there again
            assert (await peer.asked_for(6))[4:] == [("create", "t2", (4,)), ("delete", "t2", again)]
            await outlet.emit_all(routes(4))
            assert (await peer.asked_for(7))[6:] == [("create", "t2", (4,))]

    asyncio.run(scene())


def test_registrations_that_fail_hold_back_the_unregistrations() -> None:
    async def scene() -> None:
        peer = Peer(Unreachable("x"))
        async with working(peer) as (outlet, lines):
            await outlet.emit(Changes(routes(1), routes(2)), remember=True)
            asked = await peer.asked_for(3)
            assert [what for what, _, _ in asked] == ["create", "create", "delete"]
            assert told(lines, "unable-to-upsert") == 1

    asyncio.run(scene())


def test_without_a_token_nothing_is_asked() -> None:
    async def scene() -> None:
        peer = Peer(no_token=2)
        async with working(peer) as (outlet, lines):
            await outlet.emit_all(routes(1))
            while told(lines, "unable-to-get-token") < 2:
                await asyncio.sleep(0)
            await outlet.emit_all(routes(2))
            assert await peer.asked_for(1) == [("create", "t1", (2,))]

    asyncio.run(scene())


def test_the_last_word_counts_for_what_waits() -> None:
    """Nobody waits for a Routing API that takes its time; it is told everything since in one go."""

    async def scene() -> None:
        peer = Peer()
        async with working(peer) as (outlet, _):
            peer.free.clear()
            await outlet.emit_all(routes(1))
            await peer.asked_for(1)
            for changes in (Changes(routes(2), []), Changes(routes(3), routes(2)), Changes(routes(4), routes(1))):
                await outlet.emit(changes, remember=True)
            await outlet.emit(Changes(routes(1), []), remember=True)
            peer.free.set()
            assert [(what, set(ports)) for what, _, ports in (await peer.asked_for(3))[1:]] == [
                ("create", {1, 3, 4}),
                ("delete", {2}),
            ]

    asyncio.run(scene())
