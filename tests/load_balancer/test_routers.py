"""Health checks of the Gorouters, and the turn in which they are taken."""

import asyncio
import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.load_balancer import health as module
from cfroute.load_balancer.config import Router
from cfroute.load_balancer.health import Place, ask_health, check_for_ever
from cfroute.load_balancer.routers import Routers
from cfroute.logs import Logger
from cfroute.proxy.backend import Destination
from cfroute.testing import ManualClock

from ..proxy.plumbing import listen
from ..waiting import until

pytestmark = pytest.mark.anyio


def made(count: int) -> Routers:
    return Routers([Router("127.0.0.1", port, port) for port in range(1, count + 1)], Logger("x", stream=io.StringIO()))


ANSWERS = {
    b"HTTP/1.1 200 OK\r\n\r\nok": "",
    b"HTTP/1.0 200 Fine\r\n": "",
    b"HTTP/1.1 503 Service Unavailable\r\n\r\n": "answered 503 Service Unavailable",
    b"HTTP/1.1\r\n": "answered nothing",
    b"": "answered nothing",
    b"x" * 200_000: "separator is not found, and chunk exceed the limit",
}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer[:12])
async def test_what_a_gorouter_may_say_of_itself(answer: bytes) -> None:
    gorouter = await listen()
    asking = asyncio.ensure_future(ask_health(Place("127.0.0.1", gorouter.port)))
    peer = await gorouter.connection()
    assert await peer.head() == b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
    peer.send(answer)
    peer.close()
    assert (await asking).startswith(ANSWERS[answer]) if ANSWERS[answer] else await asking == ""
    gorouter.listener.close()


async def test_a_gorouter_that_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert await ask_health(Place("127.0.0.1", port)) == "connection refused"
    assert "idna" in await ask_health(Place("a..b", 1))
    assert await ask_health(Place("nobody.invalid", 1)) != ""


async def test_a_gorouter_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHECK_TIMEOUT", 0.05)
    gorouter = await listen()
    assert await ask_health(Place("127.0.0.1", gorouter.port)) == "no answer within 0.05 s"
    await (await gorouter.connection()).rest()
    gorouter.listener.close()


async def test_checks_are_rare_while_all_is_well_and_frequent_before() -> None:
    routers, clock = made(2), ManualClock()
    asked: list[int] = []
    reasons = {1: "starting", 2: "starting"}

    async def probe(place: Place) -> str:
        asked.append(place.port)
        return reasons[place.port]

    checking = asyncio.ensure_future(check_for_ever(routers, 1.0, clock, probe))
    await until(lambda: clock.waiting)
    assert len(asked) == 2
    for count in range(2, 5):
        clock.advance(0.05)
        await until(lambda: clock.waiting)
        assert len(asked) == 2 * count
    reasons = {1: "", 2: ""}
    clock.advance(0.05)
    await until(lambda: clock.waiting)
    assert len(routers.healthy) == 2
    before = len(asked)
    clock.advance(0.9)
    assert len(asked) == before
    clock.advance(0.1)
    await until(lambda: len(asked) == before + 2)
    checking.cancel()


async def test_checks_close_what_has_been_idle_for_too_long() -> None:
    expired: list[float] = []

    class Remembering(Destination):
        def expire(self, now: float) -> None:
            expired.append(now)

    routers, clock = made(1), ManualClock()
    routers.all[0].destination = Remembering("127.0.0.1", 1)

    async def probe(place: Place) -> str:
        return ""

    checking = asyncio.ensure_future(check_for_ever(routers, 1.0, clock, probe))
    await until(lambda: clock.waiting)
    clock.advance(1)
    await until(lambda: expired == [0.0, 1.0])
    checking.cancel()


@given(st.integers(1, 5), st.sets(st.integers(0, 4)), st.integers(1, 30))
def test_the_healthy_take_turns(count: int, ill: set[int], requests: int) -> None:
    routers = made(count)
    for number, backend in enumerate(routers.all):
        routers.report(backend, "ill" if number in ill else "")
    chosen = [routers.choose(set()) for _ in range(requests)]
    healthy = [backend for number, backend in enumerate(routers.all) if number not in ill]
    if not healthy:
        assert set(chosen) == {None}
        return
    shares = [chosen.count(backend) for backend in healthy]
    assert sum(shares) == requests
    assert max(shares) - min(shares) <= 1


def test_nobody_is_tried_twice() -> None:
    routers = made(3)
    for backend in routers.all:
        routers.report(backend, "")
    tried: set[str] = set()
    for _ in range(3):
        backend = routers.choose(tried)
        assert backend is not None
        assert backend.name not in tried
        tried.add(backend.name)
    assert routers.choose(tried) is None


def test_a_new_reason_is_kept() -> None:
    routers = made(1)
    [backend] = routers.all
    assert (backend.healthy, backend.reason) == (False, "not checked yet")
    routers.report(backend, "answered 503")
    assert (backend.healthy, backend.reason) == (False, "answered 503")
    routers.report(backend, "")
    assert (backend.healthy, backend.reason, repr(backend)) == (True, "", "<Backend 127.0.0.1:1 healthy>")
