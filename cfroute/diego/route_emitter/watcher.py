"""Follows the BBS: every change at once, and everything once a minute."""

import asyncio
import contextlib

import msgspec

from cfroute.clock import Clock
from cfroute.diego.api import ActualLRP, DesiredLRP, Event
from cfroute.diego.client import BBSClient, BBSError, BBSUnavailable
from cfroute.diego.route_emitter.emitter import Emitter
from cfroute.diego.route_emitter.table import NOTHING, Changes, RoutingTable, routable
from cfroute.lager import Lager

RETRY = 0.5  # s


class Watcher:
    """Keeps the table equal to what the BBS says of the instances of one cell ("": of all), and emits each change.

    Events that come during a sync wait for it: applied to the newer table, an older event changes nothing, because
    the table compares modification tags.
    """

    def __init__(self, bbs: BBSClient, cell_id: str, table: RoutingTable, emitter: Emitter, clock: Clock, log: Lager) -> None:
        self._bbs = bbs
        self._cell_id = cell_id
        self._table = table
        self._emitter = emitter
        self._clock = clock
        self._log = log
        self._turn = asyncio.Lock()

    async def run(self, sync_interval: float) -> None:
        """Work for ever."""
        await asyncio.gather(self._listen(), self._sync_regularly(sync_interval))

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bbs.subscribe("lrp_instances.r1", self._cell_id) as events:
                    self._log.info("subscribed-to-bbs-events")
                    await self.sync()
                    async for event in events:
                        await self.handle(event)
            except (BBSUnavailable, BBSError) as error:
                self._log.error("failed-subscribing-to-events", error=error.message)
            await self._clock.sleep(RETRY)

    async def _sync_regularly(self, interval: float) -> None:
        while True:
            await self._clock.sleep(interval)
            with contextlib.suppress(BBSUnavailable, BBSError):  # logged; what is known stays
                await self.sync()

    async def sync(self) -> None:
        """Ask for everything, and emit the difference. Raises BBSUnavailable, BBSError; then nothing has changed."""
        async with self._turn:
            try:
                fresh = await self._bbs.domains()
                lrps = await self._bbs.actual_lrps(cell_id=self._cell_id or None)
                actual = [lrp for lrp in lrps if routable(lrp)]
                desired = await self._bbs.desired_lrps(sorted({lrp.process_guid for lrp in actual}))
            except (BBSUnavailable, BBSError) as error:
                self._log.error("failed-to-sync-events", error=error.message)
                raise
            await self._emitter.emit(self._table.swap(desired, actual, fresh), remember=True)
        self._log.info("sync.complete", endpoints=len(actual))

    async def handle(self, event: Event) -> None:
        """Apply one event, and emit what changes by it."""
        async with self._turn:
            try:
                changes = await self._apply(event)
            except (BBSUnavailable, BBSError) as error:  # the next sync finds what is missing now
                self._log.error("failed-getting-desired-lrp", error=error.message)
                return
            removed = event.type in ("desired_lrp_removed", "actual_lrp_instance_removed")
            await self._emitter.emit(changes, remember=not removed)

    async def _apply(self, event: Event) -> Changes:
        if event.type.startswith("actual_lrp_instance"):
            before, after = (msgspec.convert(side, ActualLRP) if side else None for side in (event.before, event.after))
            return await self._apply_actual(before, after)
        if event.type == "desired_lrp_removed" and event.before:
            return self._table.remove_routes(event.before["process_guid"])
        if event.type.startswith("desired_lrp") and event.after:
            return self._table.set_routes(msgspec.convert(event.after, DesiredLRP))
        self._log.debug("did-not-handle-unrecognizable-event", type=event.type)
        return NOTHING

    async def _apply_actual(self, before: ActualLRP | None, after: ActualLRP | None) -> Changes:
        if after and routable(after) and after.cell_id in (self._cell_id or after.cell_id,):
            return self._table.add_endpoint(after, await self._unknown(after.process_guid))
        if before and before.state == "RUNNING":
            # what is left behind has the tag of the change, so that it is newer than what the table knows
            tag = after.modification_tag if after else before.modification_tag
            return self._table.remove_endpoint(msgspec.structs.replace(before, modification_tag=tag))
        return NOTHING

    async def _unknown(self, process_guid: str) -> DesiredLRP | None:
        """The desired LRP of a process whose routes are not known yet."""
        if self._table.knows(process_guid):
            return None
        found = await self._bbs.desired_lrps([process_guid])
        return found[0] if found else None
