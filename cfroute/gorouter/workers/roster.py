"""The places of a router's workers: each has a worker, and gets another one when that has ended."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.gorouter.workers.member import Member
from cfroute.gorouter.workers.messages import Message, ToParent, packed
from cfroute.gorouter.workers.pauses import Pauses
from cfroute.logs import Logger

_ANSWERS_WITHIN: Final = 2.0  # seconds
_GRACE: Final = 3.0  # seconds to end in
_MOST_UNANSWERED: Final = 15
"""Requests for a report; they are counted, and not the seconds, since it may be the parent that was kept from running."""


class Roster:
    """Keeps so many workers, and talks with all of them."""

    def __init__(
        self,
        count: int,
        clock: Clock,
        log: Logger,
        *,
        start: Callable[[Member], Awaitable[None]],
        heard: Callable[[Member, ToParent], object],
        left: Callable[[Member], object],
    ) -> None:
        """`start` starts one and gives it what it needs, `heard` gets what one tells, `left` hears that one has ended."""
        self._count = count
        self._clock = clock
        self._log = log
        self._start = start
        self._heard_of = heard
        self._left = left
        self._members: dict[int, Member] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._replaces = True

    def open(self) -> None:
        """Start all of them."""
        self._tasks = [spawn(self._keep(number), name=f"worker {number}") for number in range(self._count)]

    async def _keep(self, number: int) -> None:
        """Start a worker, and another one whenever it has ended."""
        pauses = Pauses()
        while self._replaces:
            began = self._clock.monotonic()
            member = self._members[number] = Member(number, self._clock, self._heard)
            status = await self._employ(member)
            if not self._replaces:
                return
            self._left(member)
            pause = pauses.after(self._clock.monotonic() - began)
            self._log.error("worker-exited", worker=number, pid=member.pid, status=status, next_in_seconds=pause)
            await self._until(lambda: not self._replaces, pause)

    async def _employ(self, member: Member) -> int | None:
        """Take it from its start to its end; returns its exit status, or None if there was no process."""
        try:
            await self._start(member)
        except OSError as error:
            self._log.error("worker-not-started", worker=member.number, error=str(error))
            return None
        if not self._replaces:
            member.close()
        status = await member.end()
        self._news.set()
        return status

    # What happens

    def _heard(self, member: Member, message: ToParent) -> None:
        self._heard_of(member, message)
        self._news.set()

    def look(self) -> None:
        """Have those who wait look whether it is done."""
        self._news.set()

    async def until(self, done: Callable[[], bool]) -> None:
        """Return once something has happened after which it is done."""
        while not done():
            self._news.clear()
            await self._news.wait()

    async def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        """The same, but not for longer than that; whether it is done."""
        try:
            async with asyncio.timeout(seconds):
                await self.until(done)
        except TimeoutError:
            return False
        return True

    # What is said

    @property
    def all_serve(self) -> bool:
        """Whether every place has a worker that serves."""
        return len(self._members) == self._count and all(member.serving for member in self._members.values())

    def others(self, member: Member) -> Iterable[Member]:
        """Those besides that one who have the table."""
        return [other for other in self._members.values() if other is not member and other.following]

    def tell(self, change: Message) -> None:
        """Tell those who have the table of a change. It is packed once for all of them."""
        following = [member for member in self._members.values() if member.following]
        if following:
            data = packed(change)
            for member in following:
                member.change(change, data)

    def send(self, message: Message) -> None:
        """Tell everybody something."""
        for member in self._members.values():
            member.send(message)

    def ask(self) -> None:
        """Have all of them report. One that has not for too long is stuck: another one takes its place."""
        for member in self._members.values():
            if member.ended:
                continue
            if member.unanswered >= _MOST_UNANSWERED:
                self._log.error("worker-stuck", worker=member.number, pid=member.pid)
                member.abandon()
            else:
                member.ask()

    async def reports(self) -> None:
        """Return when all have reported, or most of them after a while."""
        asked = [(member, member.reports) for member in self._members.values() if member.serving]
        for member, _ in asked:
            member.ask()
        await self._until(lambda: all(member.ended or member.reports > before for member, before in asked), _ANSWERS_WITHIN)

    async def answers(self, question: Message, seconds: float = 0.0) -> list[Message | None]:
        """What the workers answer, if that may take them so long; None for who did not. Who ends meanwhile is left out."""
        asked = [member for member in self._members.values() if not member.ended]
        for member in asked:
            member.answer = None
            member.send(question)
        done = await self._until(
            lambda: all(member.answer is not None or member.ended for member in asked), seconds + _ANSWERS_WITHIN
        )
        if not done:
            silent = [member.number for member in asked if member.answer is None and not member.ended]
            self._log.error("workers-not-answering", workers=silent)
        return [member.answer for member in asked if not member.ended]

    # The end

    def settle(self) -> None:
        """Who ends from now on is not replaced."""
        self._replaces = False
        self._news.set()

    async def close(self) -> None:
        """End all of them, and wait for that."""
        self.settle()
        for member in self._members.values():
            member.close()
        if not self._tasks:
            return
        _, pending = await asyncio.wait(self._tasks, timeout=_GRACE)
        if pending:  # who does not even take what was said before would never hear of the end
            for member in self._members.values():
                member.abandon()
            await asyncio.wait(pending)
