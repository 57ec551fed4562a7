"""Everything the BBS knows, and each change to it.

Every method either raises Refused and changes nothing, or records its changes, which the shell then writes,
announces, or takes back (`take`, `undo`). A change is a pair (before, after); one side is None for what is
new or gone.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from cfroute.clock import Clock
from cfroute.diego.api import (
    ActualLRP,
    CellPresence,
    DesiredLRP,
    InstanceUsage,
    ModificationTag,
    Task,
)
from cfroute.diego.bbs import lrps
from cfroute.diego.bbs.auction import Bidder, NoBidder, place_instance, place_task
from cfroute.diego.bbs.lrps import Refused

CELL_TTL = 15.0  # s without a heartbeat after which a cell is lost
LOST_TASK = "cell disappeared before completion"  # Diego's words

Thing = DesiredLRP | ActualLRP | Task


class Change(NamedTuple):
    """One thing before and after; both are of the same type."""

    before: Thing | None
    after: Thing | None


class State:
    """The desired LRPs, the actual ones by process and index, the tasks, the cells.

    And which domains are fresh.
    """

    def __init__(self, clock: Clock, new_guid: Callable[[], str]) -> None:
        self.desired: dict[str, DesiredLRP] = {}
        self.actual: dict[str, dict[int, ActualLRP]] = {}
        self.tasks: dict[str, Task] = {}
        self.cells: dict[str, CellPresence] = {}
        self.usage: dict[str, dict[str, float]] = {}
        self._domains: dict[str, float] = {}
        self._heard: dict[str, float] = {}
        self._changes: list[Change] = []
        self._clock = clock
        self._new_guid = new_guid

    def load(self, things: Iterable[Thing]) -> None:
        """Begin with what was stored.

        The cells named there are believed to live until they have had time to say so.
        """
        for thing in things:
            self._set(None, thing)
        for lrp in self.instances():
            if lrp.cell_id:
                self._heard[lrp.cell_id] = self._clock.monotonic()
        for task in self.tasks.values():
            if task.cell_id:
                self._heard[task.cell_id] = self._clock.monotonic()

    def take(self) -> list[Change]:
        """The changes since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def undo(self, changes: list[Change]) -> None:
        """Be as if these changes, the last ones, had not been made."""
        for before, after in reversed(changes):
            self._set(after, before)

    # what should run

    def desire(self, lrp: DesiredLRP) -> bool:
        """Create or replace a desired LRP; says whether that changed anything."""
        if not lrp.process_guid or lrp.instances < 0:
            raise Refused("InvalidRequest", "process_guid must not be empty, instances not negative", 400)
        before = self.desired.get(lrp.process_guid)
        if before is None:
            tag = ModificationTag(self._new_guid(), 0)
        elif msgspec.structs.replace(lrp, modification_tag=before.modification_tag) == before:
            return False
        else:
            tag = lrps.successor(before.modification_tag)
        self._change(before, msgspec.structs.replace(lrp, modification_tag=tag))
        self._fill(lrp.process_guid)
        return True

    def update(self, process_guid: str, changes: dict[str, Any]) -> None:
        """Change some fields of a desired LRP."""
        before = self.desired.get(process_guid)
        if before is None:
            raise Refused("ResourceNotFound", f"no desired LRP {process_guid}", 404)
        unknown = changes.keys() - set(DesiredLRP.__struct_fields__)
        if unknown or changes.keys() & {"process_guid", "modification_tag"}:
            raise Refused("InvalidRequest", f"these fields cannot be changed: {', '.join(sorted(changes))}", 400)
        try:
            after = msgspec.convert(msgspec.to_builtins(before) | changes, DesiredLRP)
        except msgspec.ValidationError as error:
            raise Refused("InvalidRequest", str(error), 400) from error
        self.desire(after)

    def remove(self, process_guid: str) -> bool:
        """Take a desired LRP away; says whether there was one."""
        before = self.desired.get(process_guid)
        if before is not None:
            self._change(before, None)
        self._fill(process_guid)
        return before is not None

    def sync(self, wanted: Iterable[DesiredLRP], domain: str = "cf-apps") -> dict[str, int]:
        """Make the desired LRPs of the domain equal to `wanted`, and count what had to be done."""
        counts = {"created": 0, "changed": 0, "removed": 0}
        seen = set()
        for lrp in wanted:
            kind = "changed" if lrp.process_guid in self.desired else "created"
            counts[kind] += self.desire(lrp)
            seen.add(lrp.process_guid)
        for lrp in list(self.desired.values()):
            if lrp.domain == domain and lrp.process_guid not in seen:
                counts["removed"] += self.remove(lrp.process_guid)
        return counts

    def upsert_domain(self, domain: str, ttl: int) -> None:
        """What is desired in this domain is complete, for `ttl` seconds (0: for ever)."""
        self._domains[domain] = self._clock.monotonic() + ttl if ttl else float("inf")

    def domains(self) -> list[str]:
        """The domains that are fresh."""
        now = self._clock.monotonic()
        return sorted(name for name, until in self._domains.items() if now < until)

    # what does run

    def instances(self) -> Iterator[ActualLRP]:
        """Every actual LRP."""
        for of_process in self.actual.values():
            yield from of_process.values()

    def claim(self, process_guid: str, index: int, cell_id: str, instance_guid: str) -> None:
        """A cell takes an instance."""
        before = self._instance(process_guid, index)
        self._change(before, lrps.claim(before, cell_id, instance_guid, self._clock.now_ns()))

    def start(self, said: ActualLRP) -> None:
        """A cell says that an instance runs.

        One that nobody here knows is believed while its domain is not fresh: the database may have been lost,
        and the instances must not be stopped for it.
        """
        before = self.actual.get(said.process_guid, {}).get(said.index)
        if before is None:
            if "cf-apps" in self.domains() and said.process_guid not in self.desired:
                raise Refused("ActualLRPCannotBeStarted", "the instance is not wanted")
            before = self._created(said.process_guid, said.index)
        after = lrps.start(
            before,
            said.cell_id,
            said.instance_guid,
            self._clock.now_ns(),
            address=said.address,
            ports=said.ports,
            routable=said.routable,
            availability_zone=said.availability_zone,
            instance_address=said.instance_address,
            preferred_address=said.preferred_address,
        )
        self._change(before, after)
        self._fill_if_known(said.process_guid)

    def crash(self, process_guid: str, index: int, cell_id: str, instance_guid: str, reason: str) -> None:
        """A cell says that an instance died. One that was to be stopped anyway is gone."""
        before = self._instance(process_guid, index)
        after = lrps.crash(before, cell_id, instance_guid, reason, self._clock.now_ns())
        self._change(before, None if before.retired else after)
        self._fill_if_known(process_guid)

    def fail(self, process_guid: str, index: int, reason: str) -> None:
        """A cell cannot take an instance that was placed there."""
        before = self._instance(process_guid, index)
        if before.state == "UNCLAIMED":
            self._replace(before, cell_id="", placement_error=reason)

    def gone(self, process_guid: str, index: int, instance_guid: str) -> None:
        """A cell has stopped an instance; when it is still desired, a new one takes its place."""
        before = self.actual.get(process_guid, {}).get(index)
        if before is not None and before.instance_guid == instance_guid:
            self._change(before, None)
            self._fill_if_known(process_guid)

    def retire(self, process_guid: str, index: int) -> None:
        """Stop an instance; when it is still desired, a new one takes its place."""
        self._retire(self._instance(process_guid, index))
        self._fill_if_known(process_guid)

    def report(self, usages: Iterable[InstanceUsage]) -> None:
        """Remember what instances use. That is neither stored nor announced: it changes all the time."""
        self.usage.update((each.instance_guid, each.usage) for each in usages)

    # tasks

    def desire_task(self, task: Task) -> None:
        """Have a task run once."""
        if task.task_guid in self.tasks:
            raise Refused("ResourceExists", f"there is a task {task.task_guid} already")
        fresh = msgspec.structs.replace(
            task, state="PENDING", cell_id="", created_at=self._clock.now_ns(), failed=False, result=""
        )
        self._change(None, fresh)

    def start_task(self, task_guid: str, cell_id: str) -> None:
        """A cell takes a task."""
        before = self._task(task_guid)
        if before.state != "PENDING" and (before.state, before.cell_id) != ("RUNNING", cell_id):
            raise Refused("InvalidStateTransition", f"the task is {before.state} on {before.cell_id}")
        self._change(before, msgspec.structs.replace(before, state="RUNNING", cell_id=cell_id))

    def complete_task(self, task: Task) -> None:
        """A cell hands a finished task back. Only the first outcome counts."""
        before = self._task(task.task_guid)
        if before.state == "COMPLETED":
            return
        if before.cell_id != task.cell_id:
            raise Refused("RunningOnDifferentCell", f"the task is {before.state} on {before.cell_id}")
        self._complete(before, task.failed, task.failure_reason, task.result)

    def resolve_task(self, task_guid: str) -> None:
        """Whoever wanted the task has been told: it is done with."""
        self._change(self._task(task_guid), None)

    # cells

    def heartbeat(self, presence: CellPresence) -> None:
        """A cell lives. What could not be placed before may find room on a new one."""
        news = presence.cell_id not in self.cells
        self.cells[presence.cell_id] = presence
        self._heard[presence.cell_id] = self._clock.monotonic()
        if news:
            self.place(again=True)

    def converge(self) -> None:
        """Notice what time has brought: lost cells, restarts that are due, instances too few or too many."""
        now = self._clock.monotonic()
        for cell_id in [each for each, heard in self._heard.items() if now - heard > CELL_TTL]:
            self._lose(cell_id)
        for lrp in list(self.instances()):
            if lrps.due(lrp, self._clock.now_ns()):
                self._change(lrp, lrps.restart(lrp, self._clock.now_ns()))
        for process_guid in self.desired.keys() | self.actual.keys():
            self._fill_if_known(process_guid)
        alive = {lrp.instance_guid for lrp in self.instances()}
        self.usage = {guid: usage for guid, usage in self.usage.items() if guid in alive}
        self.place(again=True)

    def place(self, *, again: bool = False) -> None:
        """Give every instance and task that has no cell to one; with `again` also what could not be placed before."""
        waiting = [
            lrp for lrp in self.instances() if lrp.state == "UNCLAIMED" and not lrp.cell_id and (again or not lrp.placement_error)
        ]
        pending = [task for task in self.tasks.values() if task.state == "PENDING" and not task.cell_id]
        if not waiting and not pending:
            return
        bidders = self._bidders()
        for lrp in waiting:
            try:
                winner = place_instance(bidders, lrp.process_guid, self._memory(lrp))
            except NoBidder as reason:
                self._replace(lrp, placement_error=str(reason))
            else:
                self._replace(lrp, cell_id=winner.cell_id, placement_error="")
        if bidders:
            for task in pending:
                self._change(task, msgspec.structs.replace(task, cell_id=place_task(bidders).cell_id))

    # how it is done

    def _bidders(self) -> list[Bidder]:
        bidders = {
            cell.cell_id: Bidder(cell.cell_id, cell.memory_mb or None) for cell in self.cells.values() if not cell.evacuating
        }
        for lrp in self.instances():
            if lrp.cell_id in bidders:
                bidders[lrp.cell_id].carry(lrp.process_guid, self._memory(lrp))
        for task in self.tasks.values():
            if task.cell_id in bidders and task.state != "COMPLETED":
                bidders[task.cell_id].tasks += 1
        return list(bidders.values())

    def _memory(self, lrp: ActualLRP) -> int:
        desired = self.desired.get(lrp.process_guid)
        return desired.memory_mb if desired else 0

    def _lose(self, cell_id: str) -> None:
        del self._heard[cell_id]
        self.cells.pop(cell_id, None)
        now = self._clock.now_ns()
        for lrp in [each for each in self.instances() if each.cell_id == cell_id]:
            self._change(lrp, None if lrp.retired else lrps.lose(lrp, now))
        for task in [each for each in self.tasks.values() if each.cell_id == cell_id]:
            if task.state == "RUNNING":
                self._complete(task, True, LOST_TASK, "")
            elif task.state == "PENDING":
                self._change(task, msgspec.structs.replace(task, cell_id=""))

    def _complete(self, task: Task, failed: bool, reason: str, result: str) -> None:
        outcome = msgspec.structs.replace(task, state="COMPLETED", failed=failed, failure_reason=reason, result=result)
        self._change(task, outcome)

    def _fill_if_known(self, process_guid: str) -> None:
        if process_guid in self.desired or "cf-apps" in self.domains():
            self._fill(process_guid)

    def _fill(self, process_guid: str) -> None:
        """Create the instances that are missing, and retire those with an index too high."""
        desired = self.desired.get(process_guid)
        wanted = desired.instances if desired else 0
        present = self.actual.get(process_guid, {})
        for index in range(wanted):
            if index not in present:
                self._created(process_guid, index)
        for lrp in [each for each in present.values() if each.index >= wanted]:
            self._retire(lrp)

    def _created(self, process_guid: str, index: int) -> ActualLRP:
        lrp = ActualLRP(
            process_guid,
            index,
            since=self._clock.now_ns(),
            modification_tag=ModificationTag(self._new_guid(), 0),
        )
        self._change(None, lrp)
        return lrp

    def _retire(self, lrp: ActualLRP) -> None:
        self._change(lrp, lrps.retire(lrp))

    def _replace(self, lrp: ActualLRP, **changes: Any) -> None:
        if any(getattr(lrp, name) != value for name, value in changes.items()):
            tag = lrps.successor(lrp.modification_tag)
            self._change(lrp, msgspec.structs.replace(lrp, **changes, modification_tag=tag))

    def _instance(self, process_guid: str, index: int) -> ActualLRP:
        lrp = self.actual.get(process_guid, {}).get(index)
        if lrp is None:
            raise Refused("ResourceNotFound", f"no instance {index} of {process_guid}", 404)
        return lrp

    def _task(self, task_guid: str) -> Task:
        if task_guid not in self.tasks:
            raise Refused("ResourceNotFound", f"no task {task_guid}", 404)
        return self.tasks[task_guid]

    def _change(self, before: Thing | None, after: Thing | None) -> None:
        if before != after:
            self._set(before, after)
            self._changes.append(Change(before, after))

    def _set(self, before: Thing | None, after: Thing | None) -> None:
        match after or before:
            case DesiredLRP(process_guid=guid):
                _put(self.desired, guid, after)
            case ActualLRP(process_guid=guid, index=index):
                of_process = self.actual.setdefault(guid, {})
                _put(of_process, index, after)
                if not of_process:
                    del self.actual[guid]
            case Task(task_guid=guid):
                _put(self.tasks, guid, after)


def _put(table: dict[Any, Any], key: str | int, value: Thing | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
