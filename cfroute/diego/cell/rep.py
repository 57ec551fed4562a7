"""The cell's representative: keeps what runs here equal to what the BBS says."""

import asyncio
import contextlib
from collections.abc import Iterable

import msgspec

from cfroute.daemon import spawn
from cfroute.diego.api import ActualLRP, CellPresence, Event, InstanceUsage, Task
from cfroute.diego.cell import archives, processes, reconcile
from cfroute.diego.cell.instance import Host, Instance
from cfroute.diego.cell.staging import stage
from cfroute.diego.client import BBSError, BBSUnavailable

RECONCILE = 30.0  # s between two looks at everything, in case an event was lost
RETRY = 0.5  # s
QUICK_GRACE = 4.0  # s between SIGTERM and SIGKILL when the cell itself ends


class Rep:
    """Runs instances and tasks until `evacuate`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._cell_id = host.config.cell_id
        self._instances: dict[str, Instance] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._evacuating = False
        self._cpu: dict[int, tuple[float, float]] = {}

    def clean_up(self) -> None:
        """Kill what an earlier cell in this folder left behind, and throw its containers away."""
        leftovers = [folder for folder in self._host.folder.iterdir() if folder.is_dir()]
        if not leftovers:
            return
        killed = processes.kill_strays({folder.name for folder in leftovers})
        self._host.log.info("cleaned-up", containers=len(leftovers), killed=killed)
        for folder in leftovers:
            archives.remove(folder)

    async def live(self) -> None:
        """Do what the BBS says, for ever."""
        sidecars = self._host.sidecars
        await asyncio.gather(self._beat(), self._watch_instances(), self._watch_tasks(), self._look_again(), sidecars.keep())

    async def evacuate(self) -> None:
        """Take nothing more, stop everything, and tell the BBS, if it still listens."""
        self._evacuating = True
        with contextlib.suppress(BBSUnavailable, BBSError):
            await self._host.bbs.heartbeat(self._presence())
        for instance in self._instances.values():
            instance.stop(unroute=True, grace=QUICK_GRACE, attempts=1)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._lives, *self._tasks.values(), return_exceptions=True)

    # heartbeats

    async def _beat(self) -> None:
        while True:
            try:
                await self._host.bbs.heartbeat(self._presence())
                await self._report_usage()
            except (BBSUnavailable, BBSError) as error:
                self._host.log.warn("heartbeat-failed", error=error.message)
                await self._host.clock.sleep(RETRY)
            else:
                await self._host.clock.sleep(self._host.config.heartbeat_interval)

    def _presence(self) -> CellPresence:
        config = self._host.config
        return CellPresence(config.cell_id, config.address, config.availability_zone, config.memory_mb, self._evacuating)

    async def _report_usage(self) -> None:
        sessions = {instance.pid: instance.guid for instance in self._instances.values() if instance.pid}
        if not sessions:
            self._cpu = {}
            return
        found = processes.usage_by_session(sessions)
        now = self._host.clock.monotonic()
        usages = [
            InstanceUsage(sessions[pid], {"cpu": self._cpu_since(pid, usage.cpu_seconds, now), "mem": usage.memory})
            for pid, usage in found.items()
        ]
        self._cpu = {pid: (usage.cpu_seconds, now) for pid, usage in found.items()}
        if usages:
            await self._host.bbs.report_usage(usages)

    def _cpu_since(self, pid: int, seconds: float, now: float) -> float:
        before, then = self._cpu.get(pid, (seconds, now))
        return max(0.0, (seconds - before) / (now - then)) if now > then else 0.0

    # instances

    async def _watch_instances(self) -> None:
        while True:
            try:
                async with self._host.bbs.subscribe("lrp_instances.r1", self._cell_id) as events:
                    await self._reconcile()
                    async for event in events:
                        self._on_event(event)
            except (BBSUnavailable, BBSError) as error:
                self._host.log.warn("bbs-lost", error=error.message)
            await self._host.clock.sleep(RETRY)

    async def _look_again(self) -> None:
        while True:
            await self._host.clock.sleep(RECONCILE)
            with contextlib.suppress(BBSUnavailable, BBSError):  # the watchers say so, and try again
                await self._reconcile()
                await self._find_tasks()

    async def _reconcile(self) -> None:
        running = self._running()
        lrps = await self._host.bbs.actual_lrps(cell_id=self._cell_id)
        self._take_steps(reconcile.on_list(self._cell_id, lrps, self._instances.keys(), running))

    def _on_event(self, event: Event) -> None:
        if not event.type.startswith("actual_lrp"):
            return
        before, after = (msgspec.convert(side, ActualLRP) if side else None for side in (event.before, event.after))
        self._take_steps(reconcile.on_change(self._cell_id, before, after, self._running()))

    def _running(self) -> set[str]:
        return {guid for guid, instance in self._instances.items() if instance.state == "RUNNING"}

    def _take_steps(self, steps: Iterable[reconcile.Step]) -> None:
        for step in steps:
            match step:
                case reconcile.Take(lrp):
                    if forgotten := self._running_as(lrp):
                        forgotten.announce()
                    elif not self._evacuating:
                        spawn(self._take(lrp), name=f"take {lrp.process_guid}/{lrp.index}")
                case reconcile.Stop(guid):
                    if instance := self._instances.get(guid):
                        instance.stop()
                case reconcile.Announce(guid):
                    self._instances[guid].announce()
                case reconcile.Remove(lrp):
                    spawn(self._remove(lrp), name=f"remove {lrp.instance_guid}")

    def _running_as(self, lrp: ActualLRP) -> Instance | None:
        """The instance that runs here as what the BBS, which has lost its memory, wants to have started."""
        for instance in self._instances.values():
            same = (instance.lrp.process_guid, instance.index) == (lrp.process_guid, lrp.index)
            if same and instance.state == "RUNNING":
                return instance
        return None

    async def _take(self, lrp: ActualLRP) -> None:
        guid = self._host.new_guid()
        try:
            desired = await self._host.bbs.desired_lrps([lrp.process_guid])
            if not desired or self._evacuating:
                return
            await self._host.bbs.claim(lrp.process_guid, lrp.index, self._cell_id, guid)
        except BBSError as refusal:  # claimed already, or not wanted any more
            self._host.log.debug("claim-refused", process_guid=lrp.process_guid, error=refusal.message)
            return
        except BBSUnavailable as error:
            self._host.log.warn("claim-failed", process_guid=lrp.process_guid, error=error.message)
            return
        instance = Instance(self._host, desired[0], lrp.index, guid)
        self._instances[guid] = instance
        life = spawn(self._run(instance), name=f"instance {guid}")
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        if self._evacuating:
            instance.stop(attempts=1)

    async def _run(self, instance: Instance) -> None:
        self._host.log.info("instance-created", instance_guid=instance.guid, process_guid=instance.lrp.process_guid)
        try:
            await instance.run()
        finally:
            del self._instances[instance.guid]

    async def _remove(self, lrp: ActualLRP) -> None:
        self._host.log.info("removing-unknown-instance", instance_guid=lrp.instance_guid)
        with contextlib.suppress(BBSUnavailable, BBSError):  # the next look at everything finds it again
            await self._host.bbs.remove_actual(lrp.process_guid, lrp.index, lrp.instance_guid)

    # tasks

    async def _watch_tasks(self) -> None:
        while True:
            try:
                async with self._host.bbs.subscribe("tasks", self._cell_id) as events:
                    await self._find_tasks()
                    async for event in events:
                        if event.after:
                            self._consider(msgspec.convert(event.after, Task))
            except (BBSUnavailable, BBSError) as error:
                self._host.log.warn("bbs-lost", error=error.message)
            await self._host.clock.sleep(RETRY)

    async def _find_tasks(self) -> None:
        for task in await self._host.bbs.tasks():
            self._consider(task)

    def _consider(self, task: Task) -> None:
        """Run a task that is ours and does not run yet, also one that an earlier cell had begun."""
        if task.cell_id != self._cell_id or task.state == "COMPLETED" or self._evacuating:
            return
        if task.task_guid not in self._tasks:
            work = spawn(self._run_task(task), name=f"task {task.task_guid}")
            self._tasks[task.task_guid] = work
            work.add_done_callback(lambda _: self._tasks.pop(task.task_guid))

    async def _run_task(self, task: Task) -> None:
        try:
            await self._host.bbs.start_task(task.task_guid, self._cell_id)
        except (BBSUnavailable, BBSError) as error:
            self._host.log.warn("task-not-started", task_guid=task.task_guid, error=error.message)
            return None
        outcome = await stage(self._host, msgspec.structs.replace(task, cell_id=self._cell_id))
        while True:
            try:
                return await self._host.bbs.complete_task(outcome)
            except BBSError as refusal:
                self._host.log.warn("task-not-wanted", task_guid=task.task_guid, error=refusal.message)
                return None
            except BBSUnavailable:
                await self._host.clock.sleep(RETRY)
