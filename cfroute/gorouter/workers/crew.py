"""The workers of a router, as what serves its clients: they get the table, the sockets and the questions, and are added up."""

import asyncio
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.gorouter.config import Config
from cfroute.gorouter.metrics.snapshot import Snapshot
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.start_checks import StartFailure
from cfroute.gorouter.tls import contexts as tls
from cfroute.gorouter.traffic import HTTP, HTTPS, INTERNAL
from cfroute.gorouter.workers import activity, memory
from cfroute.gorouter.workers.doors import Doors
from cfroute.gorouter.workers.journal import Journal
from cfroute.gorouter.workers.member import Member
from cfroute.gorouter.workers.messages import (
    Active,
    Drain,
    Drained,
    Failed,
    Feel,
    Hello,
    Level,
    Marked,
    Report,
    StopListening,
    Stopped,
    ToParent,
)
from cfroute.gorouter.workers.roster import Roster
from cfroute.gorouter.workers.slots import Slots
from cfroute.gorouter.workers.tally import MOST_SLOTS
from cfroute.gorouter.workers.totals import Totals
from cfroute.logs import Logger

_REPORTS_EVERY: Final = 2.0  # seconds
_MOST_EARLY_ENDS: Final = 3  # workers that may end before all of them serve for the first time


class Crew:
    """All workers of one router, `config.cfroute.workers` of them. Serves clients by having them do it."""

    def __init__(self, config: Config, registry: Registry, clock: Clock, log: Logger) -> None:
        """Nothing is started yet; `registry` is followed from now on."""
        self._config = config
        self._registry = registry
        self._clock = clock
        self._log = log
        self._count = count = config.cfroute.workers
        self._memory = memory.share(count)
        self._tally = memory.tally(self._memory, count, 0)
        self._slots = Slots(MOST_SLOTS, lambda slot: self._tally.total(slot) != 0)
        self._doors = Doors(_hosts(config), count)
        self._identity = tls.internal_identity(clock.now())
        self._roster = Roster(count, clock, log, start=self._start, heard=self._heard, left=self._left)
        registry.journal = Journal(self._roster.tell, self._slots)
        self.totals = Totals()
        self._asking: asyncio.Task[None] | None = None
        self._healthy = False
        self._is_open = False
        self._complete = False
        self._early_ends = 0
        self._failed = False

    # The start

    async def prepare(self) -> None:
        """Start the workers: that takes them a while."""
        self._roster.open()
        self._asking = spawn(self._ask_forever(), name="reports")

    async def open(self, door: str, host: str, port: int) -> None:
        """Listen there. Nobody is served before `begin`. Raises CannotListen."""
        await self._doors.open(door, host, port)

    async def begin(self) -> None:
        """Have all workers serve, and return once they do. Raises StartFailure when one of them cannot even start."""
        self._is_open = True
        self._roster.look()
        await self._roster.until(lambda: self._failed or self._roster.all_serve)
        if self._failed:
            raise StartFailure
        self._complete = True

    async def _start(self, member: Member) -> None:
        number = member.number
        hello = Hello(self._config, number, self._count, self._memory, self._log.level, self._identity)
        await member.start(hello, [self._memory, *self._doors.of(number)])
        spawn(self._lead(member), name=f"lead worker {number}")

    async def _lead(self, member: Member) -> None:
        """Give it the table, and have it serve as soon as the router is open."""
        await member.follow(self._registry)
        await self._roster.until(lambda: self._is_open or member.ended)
        if not member.ended:
            member.serve(self._doors.opened(member.number), healthy=self._healthy)

    def _left(self, member: Member) -> None:
        """A worker has ended: what it had under way counts no more. Before all of them serve, that is a bad sign."""
        if not self._complete:
            self._early_ends += 1
            self._failed = self._failed or not member.was_ready or self._early_ends > _MOST_EARLY_ENDS
        self.totals.ended(member.number)
        self._tally.forget(member.number, self._slots.reached)
        for pool in self._registry:
            self._tally.refresh([endpoint for endpoint in pool.endpoints if endpoint.connections])

    # Meanwhile

    def feel(self, *, healthy: bool) -> None:
        """Have requests for the router's health answered like that."""
        self._healthy = healthy
        self._roster.send(Feel(healthy))

    def set_level(self, level: int) -> None:
        """Set the level of the log, here and there."""
        self._log.set_level(level)
        self._roster.send(Level(level))

    def expire(self, now: float) -> None:
        """The workers look after their own connections."""

    @property
    def accepts(self) -> bool:
        """Whether all sockets that should listen still do."""
        return self._doors.accept

    def _heard(self, member: Member, message: ToParent) -> None:
        if isinstance(message, Active):
            for pool in activity.credit(self._registry, message):
                self._tally.refresh(pool.endpoints)
                pool.forgive(self._clock.monotonic(), self._config.failed_cool_down)
        elif isinstance(message, Failed):
            self._note_failure(member, message)
        elif isinstance(message, Report):
            self.totals.note(member.number, message)

    def _note_failure(self, member: Member, told: Failed) -> None:
        """What failed at one worker is done to the whole table, if it is still the same backend."""
        pool = self._registry.at(told.uri)
        endpoint = pool.find(told.address) if pool is not None else None
        if pool is None or endpoint is None or endpoint.backend.slot != told.slot:
            return
        if told.discarded:
            self._registry.discard(pool, endpoint)
        elif self._registry.mark_failed(pool, endpoint):
            for other in self._roster.others(member):
                other.send(Marked(told.uri, endpoint.address))

    # What is counted

    async def _ask_forever(self) -> None:
        while True:
            await self._clock.sleep(_REPORTS_EVERY)
            self._roster.ask()

    async def snapshot(self, own: Snapshot) -> Snapshot:
        """The counts of all processes of the router as they are now; `own` are this one's."""
        await self._roster.reports()
        return self.totals.snapshot(own)

    # The end

    async def stop_listening(self) -> tuple[int, int]:
        """Let nobody else in; how many connections have a request, and how many have none."""
        self._roster.settle()
        answers = [answer for answer in await self._roster.answers(StopListening()) if isinstance(answer, Stopped)]
        self._doors.close()
        return sum(answer.active for answer in answers), sum(answer.idle for answer in answers)

    async def drain(self, seconds: float) -> bool:
        """Finish the requests under way; whether all of them were finished in that time."""
        answers = await self._roster.answers(Drain(seconds), seconds)
        return all(isinstance(answer, Drained) and answer.in_time for answer in answers)

    async def close(self) -> None:
        """End all workers, and wait for their ends."""
        if self._asking is not None:
            self._asking.cancel()
        await self._roster.close()
        self._doors.close()
        memory.close(self._memory, self._tally)


def _hosts(config: Config) -> dict[str, str]:
    """Where the doors are that this configuration wants."""
    hosts = {INTERNAL: config.local_host}
    if not config.disable_http:
        hosts[HTTP] = config.cfroute.address
    if config.enable_ssl:
        hosts[HTTPS] = config.cfroute.address
    return hosts
