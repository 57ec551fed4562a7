"""The BBS at work: one change at a time, each stored before it is announced."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

import msgspec

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.diego.api import DesiredLRP, Task
from cfroute.diego.bbs.hub import Hub
from cfroute.diego.bbs.state import State
from cfroute.diego.bbs.store import Store, StoreError
from cfroute.http_client import Client, Unreachable
from cfroute.logs import Logger

T = TypeVar("T")

CONVERGE = 1.0  # s between two looks at what time has brought
RETRY = (0.2, 0.5, 1.0, 2.0, 5.0)  # s; the last one is repeated


class Service:
    """State, database and event streams, kept in step."""

    def __init__(self, state: State, store: Store, peer: Client, clock: Clock, log: Logger) -> None:
        self.state = state
        self.hub = Hub()
        self._store = store
        self._peer = peer
        self._clock = clock
        self._log = log

    def do(self, work: Callable[[State], T]) -> T:
        """Make a change, and let it be stored and heard.

        Raises Refused as `work` does, and StoreError when the database does not take it. Then nothing has changed.
        """
        try:
            answer = work(self.state)
            self.state.place()
        except BaseException:
            self.state.undo(self.state.take())
            raise
        self._commit()
        return answer

    def _commit(self) -> None:
        changes = self.state.take()
        if not changes:
            return
        try:
            self._store.save(changes)
        except StoreError as error:
            self.state.undo(changes)
            self._log.error("failed-to-store", error=str(error), changes=len(changes))
            raise
        self.hub.publish(changes)
        for before, after in changes:
            if isinstance(after, Task) and after.state == "COMPLETED":
                spawn(self._call_back(after), name=f"callback of task {after.task_guid}")
            self._note(before, after)

    def _note(self, before: object, after: object) -> None:
        if isinstance(after, DesiredLRP) and before is None:
            self._log.info("desired-lrp-created", process_guid=after.process_guid, instances=after.instances)
        elif isinstance(before, DesiredLRP) and after is None:
            self._log.info("desired-lrp-removed", process_guid=before.process_guid)

    async def converge_for_ever(self) -> None:
        """Look after what time brings, and after what could not be placed."""
        while True:
            with contextlib.suppress(StoreError):  # logged already; the next round tries again
                self.do(State.converge)
            await self._clock.sleep(CONVERGE)

    def resume(self) -> None:
        """Call back for the tasks that were complete before this process began."""
        for task in self.state.tasks.values():
            if task.state == "COMPLETED":
                spawn(self._call_back(task), name=f"callback of task {task.task_guid}")

    async def _call_back(self, task: Task) -> None:
        attempt = 0
        while not await self._told(task):
            await self._clock.sleep(RETRY[min(attempt, len(RETRY) - 1)])
            attempt += 1
        if task.task_guid in self.state.tasks:
            self.do(lambda state: state.resolve_task(task.task_guid))

    async def _told(self, task: Task) -> bool:
        """Whether the one who wanted the task knows; one who refuses to know does not get asked again."""
        try:
            status, _ = await self._peer.request("POST", task.completion_url, msgspec.json.encode(task))
        except Unreachable as error:
            self._log.warn("failed-to-call-back", task_guid=task.task_guid, error=error.message)
            return False
        if 400 <= status < 500:
            self._log.warn("callback-refused", task_guid=task.task_guid, status=status)
        return status < 500

    async def refill(self, url: str) -> None:
        """Ask the Cloud Controller for what is desired, until it answers: our own database was lost or is new."""
        attempt = 0
        while (lrps := await self._fetch_desired(url)) is None:
            await self._clock.sleep(RETRY[min(attempt, len(RETRY) - 1)])
            attempt += 1
        for lrp in lrps:
            if lrp.process_guid not in self.state.desired:
                self.do(lambda state, lrp=lrp: state.desire(lrp))  # type: ignore[misc]
        self._log.info("refilled", desired_lrps=len(lrps))

    async def _fetch_desired(self, url: str) -> list[DesiredLRP] | None:
        try:
            status, answer = await self._peer.request("GET", f"{url}/internal/v4/desired_lrps")
            if status == 200:
                return msgspec.json.decode(answer, type=dict[str, list[DesiredLRP]])["desired_lrps"]
            self._log.debug("failed-to-refill", status=status)
        except (Unreachable, msgspec.MsgspecError, KeyError) as error:
            self._log.debug("failed-to-refill", error=str(error))
        return None
