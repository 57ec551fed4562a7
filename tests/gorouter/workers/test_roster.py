"""Places and who has them, with processes that are no real workers: they listen, or do not, and never say a word."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from cfroute.clock import SystemClock
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.workers import member as member_module
from cfroute.gorouter.workers import roster as roster_module
from cfroute.gorouter.workers.member import Member
from cfroute.gorouter.workers.messages import Gone, Hello, StopListening
from cfroute.gorouter.workers.roster import Roster
from cfroute.logs import Logger

from ...waiting import until

if TYPE_CHECKING:
    from ..conftest import LogLines

LISTENS = "import socket, sys; end = socket.socket(fileno=int(sys.argv[1]))\nwhile end.recv(65536): pass"
DOES_NOT_LISTEN = "import time; time.sleep(60)"
ENDS = "raise SystemExit(3)"
NOT_THERE = "/not/there"
HELLO = Hello(parse(""), 0, 1, 0, 0, ("", ""))


class Place:
    """A roster with one place, and what it hears of it."""

    def __init__(self, logger: Logger) -> None:
        self.started: list[Member] = []
        self.left: list[Member] = []
        self.roster = Roster(
            1, SystemClock(), logger, start=self._start, heard=lambda member, message: None, left=self.left.append
        )

    async def _start(self, member: Member) -> None:
        self.started.append(member)
        await member.start(HELLO, [])


@pytest.fixture
def run(logger: Logger, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Place], Awaitable[None]]], None]:
    """Runs a scenario with a place whose processes run that program."""

    def begin(program: str, scenario: Callable[[Place], Awaitable[None]]) -> None:
        command = (NOT_THERE,) if program == NOT_THERE else (sys.executable, "-S", "-c", program)
        monkeypatch.setattr(member_module, "_COMMAND", command)
        monkeypatch.setattr(member_module, "_LAST_WORDS", 0.1)
        monkeypatch.setattr(roster_module, "_ANSWERS_WITHIN", 0.1)
        monkeypatch.setattr(roster_module, "_GRACE", 0.2)

        async def play() -> None:
            place = Place(logger)
            place.roster.open()
            try:
                await until(lambda: place.started)
                await scenario(place)
            finally:
                await place.roster.close()

        asyncio.run(play())

    return begin


Run = Callable[[str, Callable[[Place], Awaitable[None]]], None]


def test_who_ends_is_replaced_after_growing_pauses(run: Run, log_lines: "LogLines") -> None:
    async def scenario(place: Place) -> None:
        await until(lambda: len(place.left) == 3)

    run(ENDS, scenario)
    ends = log_lines.data("worker-exited")
    assert [(end["worker"], end["status"], end["next_in_seconds"]) for end in ends] == [(0, 3, 0), (0, 3, 0.1), (0, 3, 0.2)]
    assert len({end["pid"] for end in ends}) == 3


def test_who_never_answers_is_replaced(run: Run, log_lines: "LogLines") -> None:
    async def scenario(place: Place) -> None:
        stuck = place.started[0]

        def replaced() -> bool:
            place.roster.ask()
            return len(place.started) == 2

        await until(replaced)
        assert place.left == [stuck]

    run(DOES_NOT_LISTEN, scenario)
    assert len(log_lines.data("worker-stuck")) == 1
    assert [end["status"] for end in log_lines.data("worker-exited")] == [-signal.SIGKILL]


def test_questions_that_are_not_answered(run: Run, log_lines: "LogLines") -> None:
    async def scenario(place: Place) -> None:
        await until(lambda: place.started[0].pid)
        assert await place.roster.answers(StopListening()) == [None]
        await place.roster.reports()
        assert not place.roster.all_serve

    run(LISTENS, scenario)
    assert log_lines.data("workers-not-answering") == [{"workers": [0]}]


def test_nobody_is_replaced_at_the_end(run: Run, log_lines: "LogLines") -> None:
    async def scenario(place: Place) -> None:
        place.roster.settle()
        place.started[0].abandon()
        await until(lambda: place.started[0].ended)

    run(LISTENS, scenario)
    assert log_lines.messages() == []


def test_who_takes_nothing_does_not_hold_up_the_end(run: Run, log_lines: "LogLines") -> None:
    async def scenario(place: Place) -> None:
        await until(lambda: place.started[0].pid)
        place.started[0].send(Gone("x" * (8 << 20)))

    run(DOES_NOT_LISTEN, scenario)
    assert log_lines.messages() == []


def test_a_program_that_is_not_there(run: Run, log_lines: "LogLines") -> None:
    async def scenario(place: Place) -> None:
        await until(lambda: len(place.left) == 2)

    run(NOT_THERE, scenario)
    assert all(NOT_THERE in told["error"] for told in log_lines.data("worker-not-started"))
    assert [end["status"] for end in log_lines.data("worker-exited")] == [None, None]
