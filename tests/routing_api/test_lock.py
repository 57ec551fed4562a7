"""What the lock decides: when the process begins to listen, and how it ends."""

import asyncio
import socket
from functools import partial
from pathlib import Path

import pytest

from cfroute.locket import client
from cfroute.routing_api import process as processes
from cfroute.routing_api.lock import Alone, Lock

from ..ports import free_port
from .in_process import InProcess

FILES = {"ca_cert": "ca.pem", "client_cert": "id.pem", "client_key": "id.key"}


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
        assert not self.released.is_set()
        self.released.set()


class Case(InProcess):
    """One that has the test's lock."""

    lock: Contended | Alone

    async def given(self, stack: object) -> Lock:
        return self.lock


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    made = Case(tmp_path, retry_interval="50ms")
    monkeypatch.setattr(made.process, "_lock", made.given)
    monkeypatch.setattr(processes, "_TAKE_OVER", 0.0)
    return made


@pytest.mark.statement(
    "Routing API 3", "nothing listens before the lock is held; at SIGTERM it is released first, and served on for a while"
)
def test_nothing_listens_without_the_lock_and_it_is_given_back_before_the_end(case: Case) -> None:
    async def scenario() -> int:
        lock = case.lock = Contended()
        running = asyncio.create_task(case.process.run(case.stop))
        await case.until("database")
        assert not case.listens()
        assert "migration.starting-migration" not in case.lines.said
        lock.granted.set()
        await case.until("started")
        assert case.listens()
        case.stop.ask()
        await lock.released.wait()
        assert case.listens()  # until another one had time to take over
        return await running

    assert asyncio.run(scenario()) == 0
    assert "exited" in case.lines.said


def test_one_that_leaves_at_once_gives_the_lock_back_when_it_listens_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(tmp_path, retry_interval="1h", cfroute={"leave_at_once": True})
    monkeypatch.setattr(case.process, "_lock", case.given)

    async def scenario() -> int:
        lock = case.lock = Contended()
        lock.granted.set()
        running = await case.until_started()
        case.stop.ask()
        await lock.released.wait()
        assert not case.listens()
        return await running

    assert asyncio.run(scenario()) == 0


def test_asked_to_stop_while_it_waits_for_the_lock(case: Case) -> None:
    async def scenario() -> int:
        lock = case.lock = Contended()
        running = asyncio.create_task(case.process.run(case.stop))
        await case.until("database")
        case.stop.ask()
        status = await running
        assert lock.released.is_set()  # it may have been granted just then
        return status

    assert asyncio.run(scenario()) == 0
    assert "started" not in case.lines.said


def test_one_that_cannot_start_gives_the_lock_back(case: Case) -> None:
    async def scenario() -> int:
        lock = case.lock = Contended()
        lock.granted.set()
        with socket.create_server(("127.0.0.1", case.settings["admin_port"])):
            status = await case.process.run(case.stop)
        assert lock.released.is_set()
        return status

    assert asyncio.run(scenario()) == 1
    assert "cannot listen" in case.lines.said["shutdown-error"]["error"]


@pytest.mark.statement("Routing API 3", "a lost lock ends it with 1, after the same time to take over")
def test_a_lock_that_is_lost(case: Case) -> None:
    async def scenario() -> int:
        lock = case.lock = Contended()
        lock.granted.set()
        running = await case.until_started()
        lock.taken.set()
        status = await running
        assert not lock.released.is_set()
        return status

    assert asyncio.run(scenario()) == 1
    assert case.lines.said["shutdown-error"] == {"error": "lost the lock"}
    assert not case.listens()


def test_alone_there_is_nobody_to_wait_for(case: Case) -> None:
    async def scenario() -> int:
        case.lock = Alone()
        running = await case.until_started()
        case.stop.ask()
        return await running

    assert asyncio.run(scenario()) == 0


@pytest.mark.statement("Locket 3", "a Routing API whose Locket is not there within 10 s ends with status 2")
def test_a_locket_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"locket_{name}_file": str(tmp_path / file) for name, file in FILES.items()}
    case = InProcess(tmp_path, locket={"locket_address": f"127.0.0.1:{free_port()}", **files})
    monkeypatch.setattr(client, "connect", partial(client.connect, timeout=0.2))
    assert case.run() == 2
    assert "context deadline exceeded" in case.lines.said["failed-to-create-locket-client"]["error"]
