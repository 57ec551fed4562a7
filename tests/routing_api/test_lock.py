"""What the lock decides: when the process begins to listen, and how it ends."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.lager import Lager, Sink
from cfroute.routing_api import config as configuration
from cfroute.routing_api import process as processes
from cfroute.routing_api.flags import Flags
from cfroute.routing_api.lock import Alone, Lock
from cfroute.routing_api.process import Process

from .daemons import settings, write_identities
from .test_store import Lines


class Contended:
    """A lock that somebody else may have."""

    contended = True

    def __init__(self) -> None:
        self.granted, self.taken, self.released = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def acquire(self) -> None:
        await self.granted.wait()

    async def lost(self) -> None:
        await self.taken.wait()

    async def release(self) -> None:
        self.released.set()


class Case:
    """A process in this one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_identities(folder)
        self.settings = settings(folder, retry_interval="50ms")
        config = configuration.parse(yaml.safe_dump(self.settings).encode(), dev_mode=True)
        self.lines = Lines()
        self.lock: Contended | Alone = Contended()
        self.stop = daemon.Stop()
        guids = iter(map(str, range(100)))
        log = Lager("x", Sink(stream=self.lines))
        self.process = Process(config, Flags(ip="127.0.0.1", dev_mode=True), log, SystemClock(), lambda: next(guids))
        monkeypatch.setattr(self.process, "_lock", self._lock)
        monkeypatch.setattr(processes, "_TAKE_OVER", 0.0)

    def _lock(self) -> Lock:
        return self.lock

    async def until(self, look: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not look():
                await asyncio.sleep(0.005)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.settings["api"]["listen_port"])) == 0


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(tmp_path, monkeypatch)


def test_nothing_listens_without_the_lock_and_it_is_given_back_before_the_end(case: Case) -> None:
    async def scenario() -> int:
        lock = case.lock = Contended()
        running = asyncio.create_task(case.process.run(case.stop))
        await case.until(lambda: "x.database" in case.lines.said)
        assert not case.listens()
        assert "x.migration.starting-migration" not in case.lines.said
        lock.granted.set()
        await case.until(lambda: "x.started" in case.lines.said)
        assert case.listens()
        case.stop.ask()
        await lock.released.wait()
        assert case.listens()  # until another one had time to take over
        return await running

    assert asyncio.run(scenario()) == 0
    assert "x.exited" in case.lines.said


def test_asked_to_stop_while_it_waits_for_the_lock(case: Case) -> None:
    async def scenario() -> int:
        case.lock = Contended()
        running = asyncio.create_task(case.process.run(case.stop))
        await case.until(lambda: "x.database" in case.lines.said)
        case.stop.ask()
        return await running

    assert asyncio.run(scenario()) == 0
    assert "x.started" not in case.lines.said


def test_a_lock_that_is_lost(case: Case) -> None:
    async def scenario() -> int:
        lock = case.lock = Contended()
        lock.granted.set()
        running = asyncio.create_task(case.process.run(case.stop))
        await case.until(lambda: "x.started" in case.lines.said)
        lock.taken.set()
        status = await running
        assert not lock.released.is_set()
        return status

    assert asyncio.run(scenario()) == 1
    assert case.lines.said["x.shutdown-error"] == {"error": "lost the lock"}
    assert not case.listens()


def test_alone_there_is_nobody_to_wait_for(case: Case) -> None:
    async def scenario() -> int:
        case.lock = Alone()
        running = asyncio.create_task(case.process.run(case.stop))
        await case.until(lambda: "x.started" in case.lines.said)
        case.stop.ask()
        return await running

    assert asyncio.run(scenario()) == 0
