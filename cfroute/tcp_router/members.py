"""What runs from the start to the end: each part says when it begins and when it stops."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from cfroute.daemon import spawn
from cfroute.lager import Lager
from cfroute.tcp_router import stats
from cfroute.tcp_router.engines import StatsError
from cfroute.tcp_router.metron import Metron
from cfroute.tcp_router.parts import Parts


class Members:
    """The parts, started in upstream's order; they stop the other way round."""

    def __init__(self, parts: Parts) -> None:
        self._flags = parts.flags
        self._engine = parts.engine
        self._updater = parts.updater
        self._applier = parts.applier
        self._watcher = parts.watcher
        self._log = parts.log
        self._clock = parts.clock
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Start everything; `stack` stops it."""
        stack.push_async_callback(self._watcher.aclose)
        syncer = self._log.session("syncer")
        self._start(stack, syncer, self._every(self._flags.sync_interval, self._sync))
        syncer.info("started")
        self._start(stack, self._log.session("metrics-reporter"), self._report_for_ever())
        if self._engine.watched:
            self._start_saying(stack, self._log.session("monitor"), self._monitor)
        self._start_saying(stack, self._log.session("watcher"), self._watcher.run)
        pruning = spawn(self._every(self._flags.stale_route_check_interval, self._prune), name="prune")
        self._tasks.append(pruning)
        stack.callback(pruning.cancel)

    async def failed(self) -> None:
        """Return only when a part has ended: none should."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def _start_saying(
        self, stack: contextlib.AsyncExitStack, log: Lager, run: Callable[[Lager], Coroutine[Any, Any, None]]
    ) -> None:
        log.debug("starting")
        self._start(stack, log, run(log))
        log.debug("started")

    def _start(self, stack: contextlib.AsyncExitStack, log: Lager, work: Coroutine[Any, Any, None]) -> None:
        task = spawn(work, name="member")
        self._tasks.append(task)

        async def stop() -> None:
            log.info("stopping")
            task.cancel()
            await asyncio.wait([task])

        stack.push_async_callback(stop)

    async def _every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._clock.sleep(seconds)
            await do()

    async def _sync(self) -> None:
        self._watcher.sync()

    async def _prune(self) -> None:
        if self._updater.prune(self._clock.monotonic(), self._flags.default_route_expiry):
            self._applier.soon()

    async def _report_for_ever(self) -> None:
        metron = Metron(self._flags.dropsonde_port, self._clock)
        with contextlib.closing(metron):
            await self._every(self._flags.stats_collection_interval, lambda: self._report(metron))

    async def _report(self, metron: Metron) -> None:
        try:
            metron.send(stats.metrics(await self._engine.stats()))
        except StatsError as error:
            self._log.session("get-stats").error("error-connecting-to-haproxy-stats", error=str(error))

    async def _monitor(self, log: Lager) -> None:
        log.error("exiting", error=await self._engine.failed())
