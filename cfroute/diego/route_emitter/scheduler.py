"""When everything is said again: as often as the routers want it, and at once when one of them has started."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from cfroute.clock import Clock
from cfroute.diego.route_emitter.messages import RouterStart
from cfroute.lager import Lager
from cfroute.unreadable import UNREADABLE

if TYPE_CHECKING:
    from cfroute.diego.route_emitter.bus import Bus

GREET_EVERY = 1.0  # s, until a router answers
DEFAULT_INTERVAL = 20.0  # s, for a router that asks for nothing sensible
GREETINGS = round(DEFAULT_INTERVAL / GREET_EVERY)  # in vain, until everything is said all the same


class Scheduler:
    """Greets who listens, and calls `emit_all` at the pace that they ask for.

    `subject` is whom: "router", or "service-discovery". Upstream gives up after 30 greetings without an answer, and is started
    again. This one goes on greeting, and meanwhile says everything as often as routers usually want it: TCP routers do not
    answer greetings, and their routes would expire.
    """

    def __init__(
        self,
        bus: "Bus",
        subject: str,
        emit_all: Callable[[], Awaitable[None]],
        jitter_factor: float,
        clock: Clock,
        chance: random.Random,
        log: Lager,
    ) -> None:
        self._bus = bus
        self._subject = subject
        self._emit_all = emit_all
        self._jitter_factor = jitter_factor
        self._clock = clock
        self._chance = chance
        self._log = log
        self._interval = 0.0
        self._started = asyncio.Event()
        self.greeted = asyncio.Event()
        """Somebody has answered once."""

    async def run(self) -> None:
        """Work for ever."""
        inbox = self._bus.inbox()
        await self._bus.subscribe(f"{self._subject}.start", self._router_started)
        await self._bus.subscribe(inbox, self._router_answered)
        while True:
            await self._greet(inbox)
            await self._keep_emitting()

    def greet_again(self) -> None:
        """The connection was lost: routers may have started meanwhile, unheard."""
        self._interval = 0.0
        self._started.set()

    async def _greet(self, inbox: str) -> None:
        greetings = 0
        while not self._interval:
            self._started.clear()
            await self._bus.publish(f"{self._subject}.greet", b"", inbox)
            await self._wait(GREET_EVERY)
            greetings += 1
            if not self._interval and greetings % GREETINGS == 0:
                await self._emit_all()
        self.greeted.set()
        self._log.info("received-greeting", interval=self._interval)

    async def _keep_emitting(self) -> None:
        self._started.clear()
        while self._interval:
            await self._emit_all()
            if await self._wait(self._interval) and self._interval:
                # Many emitters hear of a router's start in the same moment.
                await self._clock.sleep(self._chance.uniform(0, self._jitter_factor * self._interval))
            self._started.clear()

    async def _wait(self, seconds: float) -> bool:
        """Whether a router has started within this time."""
        try:
            async with asyncio.timeout(seconds):
                await self._started.wait()
        except TimeoutError:
            return False
        return True

    def _router_answered(self, data: bytes) -> None:
        if not self._interval:  # the first answer counts; routers of one foundation ask for the same
            self._router_started(data)

    def _router_started(self, data: bytes) -> None:
        try:
            message = msgspec.json.decode(data, type=RouterStart)
        except UNREADABLE as error:
            self._log.error("failed-to-parse-router-message", error=str(error))
            return
        self._interval = float(message.interval) if message.interval > 0 else DEFAULT_INTERVAL
        self._started.set()


async def emit_regularly(emit_all: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Say everything for ever, as often as routers usually want it: for those who have no NATS to be asked through."""
    while True:
        await emit_all()
        await clock.sleep(DEFAULT_INTERVAL)
