"""How the router is taken out of service: it tells its health check to fail, and goes on for a while."""

import asyncio
import signal
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import Stop, spawn
from cfroute.lager import Lager
from cfroute.tcp_router.applier import Applier
from cfroute.tcp_router.engines import EngineError
from cfroute.tcp_router.updates import Updater

_LOOK_EVERY: Final = 0.1  # seconds


class Drain:
    """One drain, which SIGUSR2 asks for. Routes are kept up to date meanwhile."""

    def __init__(self, updater: Updater, applier: Applier, wait: float, log: Lager, clock: Clock) -> None:
        """`wait` is how long it goes on, in seconds."""
        self._updater = updater
        self._applier = applier
        self._wait = wait
        self._log = log
        self._clock = clock
        self.started = False

    async def until_over(self, stop: Stop) -> None:
        """Return when the time is up, or when another signal comes: then at once."""
        hurry = asyncio.Event()

        def asked_again(by: signal.Signals) -> None:
            if by is signal.SIGUSR2:
                self._log.session("watcher").info("drain-requested")
                self._log.debug("drain-already-in-progress")
            hurry.set()

        stop.asked_again = asked_again
        draining = spawn(self._drain(), name="drain")
        hurrying = spawn(hurry.wait(), name="hurry")
        await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()
        hurrying.cancel()

    async def _drain(self) -> None:
        log = self._log.session("watcher")
        log.info("drain-requested")
        while self._updater.syncing:
            self._log.debug("waiting-for-sync-to-finish-before-starting-drain")
            await self._clock.sleep(_LOOK_EVERY)
        self._log.info("drain-started")
        self.started = True
        try:
            await self._applier.drain()
        except EngineError as error:
            log.error("failed-draining", error=str(error))
            return
        self._log.debug("starting-drain-wait", **{"drain-wait-period": round(self._wait * 1e9)})
        await self._clock.sleep(self._wait)
        self._log.debug("finished-drain-wait")
