"""The control socket: what goes wrong in the supervisor, or with it, is told as what it is."""

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Callable

import pytest

from cfroute.errors import CfrouteError, ConfigurationError, NotRunning, TimedOut
from cfroute.foundation import control, locks
from cfroute.foundation.client import FoundationClient
from cfroute.foundation.events import ComponentStatus, Event
from cfroute.home import Home


class Faulty:
    """A supervisor with a defect."""

    def status(self) -> list[ComponentStatus]:
        return []

    async def restart(self, name: str) -> ComponentStatus:
        raise RuntimeError(f"cannot think of {name}")

    async def kill(self, name: str, number: int) -> ComponentStatus:
        raise OSError(28, "No space left on device")

    async def down(self) -> None: ...

    def subscribe(self, watcher: Callable[[Event], None]) -> Callable[[], None]:
        return lambda: None


def test_a_defect_in_a_request_is_answered_and_the_next_request_is_served(home: Home) -> None:
    reported = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(str(context["exception"])))
        client = FoundationClient(home)
        async with control.serving(home, Faulty()):
            with pytest.raises(CfrouteError, match="cannot think of nats"):
                await asyncio.to_thread(client.restart, "nats")
            with pytest.raises(CfrouteError, match="No space left"):
                await asyncio.to_thread(client.kill, "nats")
            assert await asyncio.to_thread(client.status) == []

    locks.acquire(home)
    asyncio.run(run())
    assert reported == ["cannot think of nats", "[Errno 28] No space left on device"]


@pytest.fixture
def listener(home: Home) -> socket.socket:
    """What connects to the foundation of `home` reaches this, which does nothing."""
    locks.acquire(home)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(locks.control_address(home))
    listening.listen()
    return listening


def test_a_supervisor_that_does_not_answer_can_be_ended_by_force(home: Home, listener: socket.socket) -> None:
    with listener, pytest.raises(TimedOut, match=r"has not answered within 0.01 s") as raised:
        FoundationClient(home).down(timeout=0.01)
    assert f"kill -9 {locks.holder(home)}" in raised.value.hint


def test_a_supervisor_that_ends_in_the_middle_of_a_request_is_no_defect(home: Home, listener: socket.socket) -> None:
    def hang_up() -> None:
        listener.accept()[0].close()

    with listener:
        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(NotRunning, match="ended without an answer"):
            FoundationClient(home).status()
        thread.join()


def test_somebody_elses_foundation_is_not_said_to_be_down(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, *how: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("cfroute.foundation.locks.os.open", refuse)
    with pytest.raises(PermissionError):
        FoundationClient(home).status()


@pytest.mark.parametrize("content", [b"{", b"[]", b"", b"null", b"\xff", b"{}"])
def test_a_damaged_memory_is_named(home: Home, content: bytes) -> None:
    home.foundation.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"foundation.json cannot be read") as raised:
        FoundationClient(home).info()
    assert "delete it" in raised.value.hint
