"""The lock runner: what it asks when, and what it says; against a Locket of the test's own, and against a real one of grpcio."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cfroute.clock import SystemClock
from cfroute.errors import ConfigurationError
from cfroute.grpc.status import Code, RpcError
from cfroute.lager import Lager, Sink
from cfroute.locket import client
from cfroute.locket.api import Resource, TypeCode
from cfroute.testing import ManualClock

from ..ports import free_port
from .grpcio_locket import GrpcioLocket

COLLISION = RpcError(Code.ALREADY_EXISTS, "lock-collision")
AWAY = RpcError(Code.UNAVAILABLE, "connection refused")


class Lines:
    """What was logged: messages with their data."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def write(self, line: str, /) -> object:
        told = json.loads(line)
        self.said.append((told["message"], told["data"]))
        return None

    def flush(self) -> object:
        return None

    @property
    def messages(self) -> list[str]:
        return [message.removeprefix("routing-api.locket-lock.") for message, _ in self.said]


class Scripted:
    """A Locket that says what the test wants; `asked` are the calls, with their arguments."""

    def __init__(self, *answers: RpcError | None, owner: str | RpcError = "you", release: RpcError | None = None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []
        self._owner = owner
        self._release = release

    async def lock(self, resource: Resource, ttl: int, request_guid: str, timeout: float, *, wait_for_ready: bool = True) -> None:
        self.asked.append(("lock", resource, ttl, request_guid, timeout, wait_for_ready))
        if answer := self.answers.pop(0) if self.answers else None:
            raise answer

    async def fetch(self, key: str, timeout: float) -> Resource:
        self.asked.append(("fetch", key))
        if isinstance(self._owner, RpcError):
            raise self._owner
        return Resource(key, self._owner)

    async def release(self, resource: Resource, timeout: float) -> None:
        self.asked.append(("release", resource))
        if self._release is not None:
            raise self._release


class Case:
    """A runner with its clock."""

    def __init__(self, locket: Scripted) -> None:
        self.lines, self.clock, self.locket = Lines(), ManualClock(), locket
        guids = iter("abcdefgh")
        log = Lager("routing-api", Sink(stream=self.lines))
        self.runner = client.LockRunner(
            locket, client.lock_of("key", "me"), log, self.clock, new_guid=lambda: next(guids), retry_interval=5.0
        )

    async def pass_time(self, seconds: float) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        self.clock.advance(seconds)
        for _ in range(5):
            await asyncio.sleep(0)


LOCK = Resource("key", "me", type_code=TypeCode.LOCK)


def play(locket: Scripted, scenario: Callable[[Case], Any]) -> Case:
    async def run() -> Case:
        case = Case(locket)
        await scenario(case)
        return case

    return asyncio.run(run())


@pytest.mark.statement(
    "Locket 2", "the lock is asked for at once, with a TTL of 15 s, renewed every retry interval, and released at the end"
)
def test_the_way_of_a_lock() -> None:
    async def scenario(case: Case) -> None:
        await case.runner.acquire()
        await case.pass_time(5)
        await case.pass_time(5)
        await case.runner.release()
        await case.runner.release()
        await case.pass_time(60)

    case = play(Scripted(), scenario)
    assert case.locket.asked == [
        ("lock", LOCK, 15, "a", 5.0, False),
        ("lock", LOCK, 15, "b", 5.0, True),
        ("lock", LOCK, 15, "c", 5.0, True),
        ("release", LOCK),
    ]
    assert case.lines.messages == ["started", "acquired-lock", "signalled", "released-lock", "completed"]
    assert case.lines.said[0][1] == {
        "lock": {"key": "key", "owner": "me", "type_code": 1},
        "session": "1",
        "ttl_in_seconds": 15,
    }


@pytest.mark.statement(
    "Locket 2", "while somebody else has it, its owner is fetched once for the log, and the lock is asked for again and again"
)
@pytest.mark.parametrize(("owner", "told"), [("you", "you"), (AWAY, "")])
def test_waiting_for_somebody_else(owner: str | RpcError, told: str) -> None:
    async def scenario(case: Case) -> None:
        waiting = asyncio.create_task(case.runner.acquire())
        for _ in range(3):
            assert not waiting.done()
            await case.pass_time(5)
        await waiting
        await case.runner.release()

    case = play(Scripted(COLLISION, COLLISION, COLLISION, None, owner=owner), scenario)
    assert [call[0] for call in case.locket.asked] == ["lock", "fetch", "lock", "lock", "lock", "release"]
    assert case.lines.messages == [
        "started",
        "failed-to-acquire-lock",
        "acquired-lock",
        "signalled",
        "released-lock",
        "completed",
    ]
    assert case.lines.said[1][1] == {
        "duration": "0s",
        "error": "rpc error: code = AlreadyExists desc = lock-collision",
        "lock": {"key": "key", "owner": "me", "type_code": 1},
        "lock-owner": told,
        "request-uuid": "a",
        "session": "1",
        "ttl_in_seconds": 15,
    }


def test_waiting_for_a_locket_that_is_away() -> None:
    async def scenario(case: Case) -> None:
        waiting = asyncio.create_task(case.runner.acquire())
        for _ in range(2):
            await case.pass_time(5)
        await waiting

    case = play(Scripted(AWAY, AWAY), scenario)
    assert case.lines.messages == ["started", "failed-to-acquire-lock", "failed-to-acquire-lock", "acquired-lock"]
    assert "lock-owner" not in case.lines.said[1][1]


@pytest.mark.statement("Locket 2", "one renewal that fails, for whatever reason, is the loss of the lock")
@pytest.mark.parametrize("failure", [AWAY, COLLISION, RpcError(Code.DEADLINE_EXCEEDED, "context deadline exceeded")])
def test_a_renewal_that_fails(failure: RpcError) -> None:
    async def scenario(case: Case) -> None:
        await case.runner.acquire()
        lost = asyncio.create_task(case.runner.lost())
        await case.pass_time(5)
        assert not lost.done()
        await case.pass_time(5)
        await lost

    case = play(Scripted(None, None, failure), scenario)
    assert case.lines.messages == ["started", "acquired-lock", "lost-lock", "completed"]
    assert case.lines.said[2][1]["error"] == str(failure)
    assert len(case.locket.asked) == 3


def test_a_release_that_fails_is_said() -> None:
    async def scenario(case: Case) -> None:
        await case.runner.acquire()
        await case.runner.release()

    case = play(Scripted(release=AWAY), scenario)
    assert case.lines.messages == ["started", "acquired-lock", "signalled", "failed-to-release-lock", "completed"]


# With grpcio


def place(locket: GrpcioLocket | int, folder: Path, identity: str = "id") -> client.Place:
    port = locket if isinstance(locket, int) else locket.port
    return client.Place(f"127.0.0.1:{port}", str(folder / "ca.pem"), *(str(folder / f"{identity}.{e}") for e in ("pem", "key")))


def runner(locket: client.LocketClient, owner: str, lines: Lines, interval: float, ttl: int = 15) -> client.LockRunner:
    log = Lager("routing-api", Sink(stream=lines))
    wanted = client.lock_of("key", owner)
    return client.LockRunner(locket, wanted, log, SystemClock(), new_guid=lambda: "guid", retry_interval=interval, ttl=ttl)


def test_with_a_locket_of_grpcio(grpcio_locket: GrpcioLocket, identities: Path) -> None:
    async def scenario() -> None:
        lines = Lines()
        ours = await client.connect(place(grpcio_locket, identities), SystemClock())
        other = await client.connect(place(grpcio_locket, identities), SystemClock())
        lock, waiting = runner(ours, "me", lines, 0.5), runner(other, "you", Lines(), 0.05)
        await lock.acquire()
        next_one = asyncio.create_task(waiting.acquire())
        async with asyncio.timeout(30):
            while len(grpcio_locket.requests) < 8:
                await asyncio.sleep(0.01)
        assert not next_one.done()
        assert [each.owner for each in await ours.fetch_all(TypeCode.LOCK, 5)] == ["me"]
        assert await ours.fetch_all(TypeCode.PRESENCE, 5) == []
        await lock.release()
        await asyncio.wait_for(next_one, 30)
        with pytest.raises(RpcError, match="lock-collision"):
            await ours.release(client.lock_of("key", "me"), 5)
        await waiting.release()
        with pytest.raises(RpcError, match="resource-not-found"):
            await ours.fetch("key", 5)
        await ours.aclose()
        await other.aclose()
        assert lines.messages == ["started", "acquired-lock", "signalled", "released-lock", "completed"]

    asyncio.run(scenario())
    first = next(request for name, request in grpcio_locket.requests if name == "Lock")
    assert (first.resource.key, first.resource.owner, first.resource.type_code, first.ttl_in_seconds) == ("key", "me", 1, 15)
    assert grpcio_locket.metadata[0]["uuid"] == "guid"


@pytest.mark.statement("Locket 2", "a Locket that does not answer in time, or is away so long, costs the lock")
@pytest.mark.parametrize("away", [False, True])
def test_a_locket_of_grpcio_that_fails(grpcio_locket: GrpcioLocket, identities: Path, away: bool) -> None:
    async def scenario() -> None:
        lines = Lines()
        locket = await client.connect(place(grpcio_locket, identities), SystemClock())
        lock = runner(locket, "me", lines, 0.1, ttl=1)
        await lock.acquire()
        if away:
            await asyncio.to_thread(grpcio_locket.stop)
        else:
            grpcio_locket.stalled.clear()
        await asyncio.wait_for(lock.lost(), 30)
        grpcio_locket.stalled.set()
        await locket.aclose()
        assert lines.said[-2][1]["error"] == "rpc error: code = DeadlineExceeded desc = context deadline exceeded"

    asyncio.run(scenario())


def test_a_locket_that_is_back_within_the_interval_costs_nothing(grpcio_locket: GrpcioLocket, identities: Path) -> None:
    async def scenario() -> None:
        lines = Lines()
        locket = await client.connect(place(grpcio_locket, identities), SystemClock())
        lock = runner(locket, "me", lines, 1.0)
        await lock.acquire()
        await asyncio.to_thread(grpcio_locket.stop)
        await asyncio.to_thread(grpcio_locket.start)
        seen = len(grpcio_locket.requests)
        async with asyncio.timeout(30):
            while len(grpcio_locket.requests) == seen:
                await asyncio.sleep(0.01)
        await lock.release()
        await locket.aclose()
        assert "lost-lock" not in lines.messages

    asyncio.run(scenario())


def test_a_locket_that_is_not_there_or_does_not_know_us(grpcio_locket: GrpcioLocket, identities: Path) -> None:
    async def scenario() -> None:
        for there, why in (
            (place(free_port(), identities), "connection refused"),
            (place(grpcio_locket, identities, "strange"), "EOF|tls: "),
        ):
            with pytest.raises(
                RpcError, match=f'^rpc error: code = DeadlineExceeded desc = context .*: desc = ".*({why})'
            ) as refused:
                await client.connect(there, SystemClock(), timeout=0.3)
            assert refused.value.code is Code.DEADLINE_EXCEEDED
        with pytest.raises(ConfigurationError, match="cannot be used"):
            await client.connect(place(1, identities, "nobody"), SystemClock())

    asyncio.run(scenario())
