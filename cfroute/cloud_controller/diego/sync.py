"""Keeping Diego's wishes equal to the database.

Strategy: after each commit, the difference between what the BBS was told and what it should want now is sent at
once. Pushes are made one after the other, and each reads the database when its turn comes, so the last one sends the
last state. Whatever goes wrong on the way (the BBS is away, was restored, has lost its data) a full sync mends: at
the start, every 30 s, and as soon as the BBS is back or no longer knows that our domain is complete, for which it is
asked every 5 s.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from cfroute.clock import Clock
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.diego import staging
from cfroute.cloud_controller.diego.desired import Change, changes, desired_lrp
from cfroute.cloud_controller.diego.started import started
from cfroute.cloud_controller.errors import UNAVAILABLE, ApiError, not_found
from cfroute.daemon import spawn
from cfroute.diego.api import ActualLRP, DesiredLRP, Task
from cfroute.diego.client import BBSClient, BBSError, BBSUnavailable
from cfroute.logs import Logger

DOMAIN = "cf-apps"
# Seconds, all of them. While our domain is fresh, Diego may stop what is not desired in it.
FRESHNESS = 120
FULL_SYNC = 30.0
LOOK = 5.0
RETRY = 0.5
# How long a request waits for its push; the push itself goes on.
PATIENCE = 2.0

_FAILURES = (BBSUnavailable, BBSError, SQLAlchemyError)


class NoDiego:
    """While the foundation is down: what is wanted is in the database, and Diego will hear of it."""

    present = False

    async def push(self, app_guids: set[str]) -> None:
        """The next start of the foundation begins with a full sync."""

    async def stage(self, build_guids: Sequence[str]) -> None:
        """No build is begun without a Diego (see `present`)."""

    async def actual_lrps(self, process_guid: str) -> list[ActualLRP]:
        return []

    async def retire(self, process_guid: str, index: int) -> None:
        raise ApiError(UNAVAILABLE, "The foundation is not running, and no app instance is. Start it with 'cfroute up'.")


class DiegoSync:
    """The Cloud Controller's side of the BBS. `run` has to be running."""

    present = True

    def __init__(self, bbs: BBSClient, database: Database, config: Config, clock: Clock, log: Logger) -> None:
        self._bbs = bbs
        self._database = database
        self._config = config
        self._clock = clock
        self._log = log
        self._turn = asyncio.Lock()
        # What the BBS was told, by process_guid; None while it has to be told everything.
        self._told: dict[str, DesiredLRP] | None = None
        self._synced_at = self._looked_at = 0.0
        self._failures = 0
        self._complaint = ""

    async def run(self) -> None:
        """Sync for ever."""
        while True:
            if self._told is None or self._clock.monotonic() - self._looked_at >= LOOK:
                async with self._turn:
                    await self._look()
            await self._clock.sleep(RETRY)

    async def _look(self) -> None:
        self._looked_at = self._clock.monotonic()
        try:
            if self._told is None or self._due() or DOMAIN not in await self._bbs.domains():
                await self._sync()
        except _FAILURES as error:
            self._lost(error)

    async def push(self, app_guids: set[str]) -> None:
        await self._patiently(self._push(app_guids))

    async def stage(self, build_guids: Sequence[str]) -> None:
        await self._patiently(self._stage(build_guids))

    async def actual_lrps(self, process_guid: str) -> list[ActualLRP]:
        try:
            return await self.running(process_guid)
        except (BBSUnavailable, BBSError) as error:
            self._log.warn("actual-lrps-unknown", process_guid=process_guid, error=str(error))
            return []

    async def running(self, process_guid: str) -> list[ActualLRP]:
        """What runs of this version of a process. Raises BBSUnavailable or BBSError."""
        return await self._bbs.actual_lrps(process_guid=process_guid)

    async def retire(self, process_guid: str, index: int) -> None:
        try:
            await self._bbs.retire(process_guid, index)
        except BBSUnavailable as error:
            raise ApiError(UNAVAILABLE, "The BBS is currently unavailable. Please try again later.") from error
        except BBSError as error:
            raise not_found("Instance") from error

    async def _patiently(self, work: Coroutine[Any, Any, None]) -> None:
        await asyncio.wait({spawn(work, name="push to the BBS")}, timeout=PATIENCE)

    async def _push(self, app_guids: set[str]) -> None:
        failures = self._failures
        async with self._turn:
            if self._told is None and self._failures > failures:
                return None  # who went before us has just tried in vain; the loop goes on trying
            try:
                if self._told is None:
                    return await self._sync()
                wanted = await self._wanted(app_guids)
                known = [lrp for lrp in self._told.values() if lrp.app_guid in app_guids]
                for change in changes(known, wanted):
                    await self._tell(change)
                self._told = {
                    **{guid: lrp for guid, lrp in self._told.items() if lrp.app_guid not in app_guids},
                    **{lrp.process_guid: lrp for lrp in wanted},
                }
            except _FAILURES as error:
                self._lost(error)

    async def _tell(self, change: Change) -> None:
        if change.remove:
            await self._bbs.remove(change.remove)
        elif change.desire:
            await self._bbs.desire(change.desire)
        else:
            await self._bbs.update(change.update, **change.fields)

    async def _stage(self, build_guids: Sequence[str]) -> None:
        failures = self._failures
        async with self._turn:
            if self._told is None and self._failures > failures:
                return None
            try:
                if self._told is None:
                    return await self._sync()
                await self._desire_tasks(await self._pending(build_guids))
            except _FAILURES as error:
                self._lost(error)

    async def _sync(self) -> None:
        # Tasks are listed before the builds are read: a task that is missing in the list is either done, and then
        # its build is not STAGING any more, or was never taken in.
        tasks = {task.task_guid for task in await self._bbs.tasks()}
        wanted = await self._wanted(None)
        counts = await self._bbs.sync(wanted)
        await self._bbs.upsert_domain(DOMAIN, FRESHNESS)
        await self._desire_tasks([task for task in await self._pending(None) if task.task_guid not in tasks])
        if self._told is None or any(counts.values()):
            self._log.info("synced", desired_lrps=len(wanted), **counts)
        self._told = {lrp.process_guid: lrp for lrp in wanted}
        self._synced_at = self._clock.monotonic()
        self._complaint = ""

    async def _desire_tasks(self, tasks: list[Task]) -> None:
        for task in tasks:
            try:
                await self._bbs.desire_task(task)
            except BBSError as error:
                self._log.warn("task-refused", task_guid=task.task_guid, error=str(error))

    def _due(self) -> bool:
        return self._clock.monotonic() - self._synced_at >= FULL_SYNC

    def _lost(self, error: Exception) -> None:
        self._told = None
        self._failures += 1
        if self._complaint != str(error):
            self._complaint = str(error)
            self._log.warn("not-synced", error=str(error))

    async def _wanted(self, app_guids: set[str] | None) -> list[DesiredLRP]:
        def read() -> list[DesiredLRP]:
            with self._database.reading() as session:
                return [desired_lrp(each, self._config.internal_url) for each in started(session, app_guids)]

        return await run_in_threadpool(read)

    async def _pending(self, build_guids: Sequence[str] | None) -> list[Task]:
        def read() -> list[Task]:
            with self._database.writing() as session:
                staging.give_up(session, self._clock.now())
                return staging.pending(session, self._config, build_guids)

        return await run_in_threadpool(read)
