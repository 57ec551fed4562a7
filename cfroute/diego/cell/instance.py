"""One instance, from its claim to its end.

    CREATING ──▶ STARTING ──▶ RUNNING ──▶ ENDING ──▶ GONE
        └────────────┴───────────────────────┘

Whatever happens on the way ends in one of two: it was stopped, and the BBS is told that it is gone; or it crashed, and
the BBS is told why. It stays known to the cell until the BBS has heard that.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.diego.api import DesiredLRP, HealthCheck, Port
from cfroute.diego.cell import archives, health, processes
from cfroute.diego.cell.child import Child
from cfroute.diego.cell.config import Config
from cfroute.diego.cell.environment import Surroundings, instance_environment
from cfroute.diego.cell.guard import Guard
from cfroute.diego.cell.launcher import launch
from cfroute.diego.cell.output import copy_output
from cfroute.diego.cell.ports import Ports
from cfroute.diego.cell.sidecar import Sidecar, Sidecars
from cfroute.diego.cell.transfer import Droplets
from cfroute.diego.client import BBSClient, BBSError, BBSUnavailable
from cfroute.errors import CfrouteError
from cfroute.http_client import Client
from cfroute.log_cache import LogWriter
from cfroute.logs import Logger

MEGABYTE = 1024 * 1024
RETRY = 1.0  # s between two attempts to reach the BBS
DEFAULT_PORT = 8080  # of a process that nobody needs to reach: it is told a port all the same
LAST_WORDS = 1.0  # s to wait for output after the end of the processes

State = Literal["CREATING", "STARTING", "RUNNING", "ENDING", "GONE"]


@dataclass(frozen=True)
class Host:
    """What an instance or a staging task needs of its cell."""

    config: Config
    folder: Path
    bbs: BBSClient
    http: Client
    droplets: Droplets
    ports: Ports
    guard: Guard
    surroundings: Surroundings
    logs: LogWriter
    clock: Clock
    log: Logger
    new_guid: Callable[[], str]
    creating: asyncio.Semaphore
    sidecars: Sidecars


class Stopped(Exception):
    """The instance is to end, as asked."""


class Crashed(Exception):
    """The instance ended, or has to; the text says why."""


class Instance:
    """One instance on this cell. `run` is its whole life; `stop` ends it."""

    def __init__(self, host: Host, lrp: DesiredLRP, index: int, guid: str) -> None:
        self.lrp = lrp
        self.index = index
        self.guid = guid
        self.state: State = "CREATING"
        self.since = host.clock.monotonic()
        self._host = host
        self._root = host.folder / guid
        self._places: list[Port] = []  # where it is to listen
        self._addresses: list[str] = []  # and does, for each of them
        self._sidecar = Sidecar()
        self._process: Child | None = None
        self._output: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._drain, self._grace = host.config.drain_time, host.config.graceful_shutdown
        self._attempts: int | None = None
        self._hidden = False

    def __repr__(self) -> str:
        return f"<Instance {self.lrp.process_guid}/{self.index} {self.guid} {self.state}>"

    @property
    def pid(self) -> int | None:
        """The leader of the instance's session, while it lives."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def stop(self, *, unroute: bool = False, grace: float | None = None, attempts: int | None = None) -> None:
        """Drain it, and end it.

        With `unroute` the BBS is asked to take it out of the routing tables first (it has done so already when it is
        the one who asks). `grace` is the time between SIGTERM and SIGKILL; `attempts` how often to try to reach the BBS.
        """
        self._hidden = unroute
        self._grace = self._grace if grace is None else grace
        self._attempts = attempts if attempts is not None else self._attempts
        self._stopping.set()

    def announce(self) -> None:
        """Tell the BBS once more that it runs."""
        if self.state == "RUNNING" and not self._stopping.is_set():
            spawn(self._announce_or_stop(), name=f"announce {self.guid}")

    async def run(self) -> None:
        """Live. Returns when everything is cleaned up and the BBS knows."""
        reason: str | None = None
        try:
            await self._live()
        except Stopped:
            self._host.log.info("instance-stopped", instance_guid=self.guid)
        except Crashed as crash:
            reason = str(crash)
            self._host.log.info("instance-crashed", instance_guid=self.guid, reason=reason)
        await self._report_end(reason)
        await self._destroy()
        self._become("GONE")

    async def _live(self) -> None:
        await self._create()
        try:
            await self._start()
            self._become("RUNNING")
            await self._meanwhile(health.stay_healthy(self._health, self._addresses, self._ports, self._host.clock))
        except health.Unhealthy as failure:
            self._say("CELL", str(failure), error=True)
            raise Crashed(str(failure)) from failure
        finally:
            await self._end()
            self._host.sidecars.end(self._sidecar)

    async def _create(self) -> None:
        cell = f"Cell {self._host.config.cell_id}"
        self._say("CELL", f"{cell} creating container for instance {self.guid}")
        async with self._host.creating:
            if self._stopping.is_set():
                raise Stopped
            try:
                await self._fill_container()
            except (CfrouteError, OSError) as error:
                self._say("CELL", f"{cell} failed to create container: {error}", error=True)
                raise Crashed(f"failed to create container: {error}") from error
        self._say("CELL", f"{cell} successfully created container for instance {self.guid}")

    async def _fill_container(self) -> None:
        for name in ("app", "tmp", "deps"):
            (self._root / name).mkdir(parents=True, exist_ok=True)
        self._say("CELL", "Downloading droplet...")
        async with self._host.droplets.get(self.lrp.droplet_url) as droplet:
            await asyncio.to_thread(archives.unpack, droplet, self._root, self.lrp.disk_mb * MEGABYTE)
        self._say("CELL", "Downloaded droplet")

    async def _start(self) -> None:
        if not self.lrp.command:
            self._say(self._source, "No start command is known for this process.", error=True)
            raise Crashed("no start command is known for this process")
        self._become("STARTING")
        try:
            for number in self.lrp.ports or (DEFAULT_PORT,):
                self._places.append(Port(number, self._host.ports.take()))
            self._sidecar = await self._host.sidecars.start(self.lrp, self.guid, self._root, self._places)
            self._process = launch(self.lrp.command, self._root, self._environment(), self._host.guard)
        except (CfrouteError, OSError) as error:
            self._say("CELL", f"The instance cannot be started: {error}", error=True)
            raise Crashed(f"the instance cannot be started: {error}") from error
        self._output = spawn(copy_output(self._process, self._print), name=f"output of {self.guid}")
        self._say("CELL", "Starting health monitoring of container")
        await self._meanwhile(self._become_healthy())
        self._say("CELL", "Container became healthy")
        await self._meanwhile(self._announce(routable=True))

    async def _become_healthy(self) -> None:
        here = dict.fromkeys((self._host.surroundings.address, "127.0.0.1"))
        self._addresses = await health.become_healthy(self._health, here, self._ports, self._host.clock)
        self._sidecar.lead_to(self._addresses)

    async def _meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, unless the instance ends or is to be stopped before. Raises what it raises, Crashed, Stopped."""
        assert self._process is not None
        done = spawn(_outcome(work), name=f"work of {self.guid}")
        exited = spawn(self._process.wait(), name=f"exit of {self.guid}")
        stopped = spawn(self._stopping.wait(), name=f"stop of {self.guid}")
        await _first(done, exited, stopped)
        if self._stopping.is_set():
            raise Stopped
        if self._process.returncode is not None:
            raise Crashed(self._exit_description())
        if failure := done.result():
            raise failure

    async def _announce(self, *, routable: bool) -> None:
        address = self._host.surroundings.address if self._sidecar.proxies else self._addresses[0]
        await self._insist(
            lambda: self._host.bbs.start(
                self.lrp.process_guid,
                self.index,
                self._host.config.cell_id,
                self.guid,
                address=address,
                ports=self._sidecar.places if self.lrp.ports else (),
                routable=routable,
                availability_zone=self._host.config.availability_zone,
                instance_address=address,
                preferred_address="HOST",  # nobody listens at a container's ports
            )
        )

    async def _announce_or_stop(self) -> None:
        with contextlib.suppress(Stopped):
            await self._announce(routable=True)

    async def _end(self) -> None:
        """Drain it, end the processes, and hear their last words."""
        if self._process is None:
            return
        routed, alive = self.state == "RUNNING", self._process.returncode is None
        self._become("ENDING")
        if self._stopping.is_set() and routed and alive:
            await self._leave_the_routes()
        if alive:
            self._say("CELL", f"Cell {self._host.config.cell_id} stopping instance {self.guid}")
        await processes.end_group(self._process, self._grace)
        await asyncio.to_thread(processes.kill_strays, {self.guid})
        self._host.guard.discard(self._process.pid)
        if self._output:
            await asyncio.wait({self._output}, timeout=LAST_WORDS)
            self._output.cancel()
        self._print(f"Exit status {processes.exit_status(self._process.returncode or 0)}", False)

    async def _leave_the_routes(self) -> None:
        if self._hidden:
            with contextlib.suppress(Stopped):
                await self._announce(routable=False)
        assert self._process is not None
        await _first(
            spawn(self._host.clock.sleep(self._drain), name=f"drain of {self.guid}"),
            spawn(self._process.wait(), name=f"exit of {self.guid}"),
        )

    async def _report_end(self, reason: str | None) -> None:
        identity = (self.lrp.process_guid, self.index)
        bbs, cell_id = self._host.bbs, self._host.config.cell_id
        with contextlib.suppress(Stopped):
            if reason is None:
                await self._insist(lambda: bbs.remove_actual(*identity, self.guid))
            else:
                await self._insist(lambda: bbs.crash(*identity, cell_id, self.guid, reason))

    async def _destroy(self) -> None:
        cell = f"Cell {self._host.config.cell_id}"
        self._say("CELL", f"{cell} destroying container for instance {self.guid}")
        for place in self._places:
            self._host.ports.give_back(place.host_port)
        try:
            await asyncio.to_thread(archives.remove, self._root)
        except OSError as error:
            self._host.log.error("failed-to-destroy-container", instance_guid=self.guid, error=str(error))
        else:
            self._say("CELL", f"{cell} successfully destroyed container for instance {self.guid}")

    async def _insist(self, call: Callable[[], Awaitable[None]]) -> None:
        """Say it until the BBS has heard it. Raises Stopped when the BBS refuses: then nobody wants the instance."""
        attempt = 0
        while True:
            try:
                return await call()
            except BBSError as refusal:
                self._host.log.info("bbs-refused", instance_guid=self.guid, error=refusal.message)
                self._stopping.set()
                raise Stopped from refusal
            except BBSUnavailable as error:
                attempt += 1
                if self._attempts is not None and attempt >= self._attempts:
                    raise Stopped from error
            await self._host.clock.sleep(RETRY)

    @property
    def _health(self) -> HealthCheck:
        return self.lrp.health_check

    @property
    def _ports(self) -> list[int]:
        return [place.host_port for place in self._places]

    def _environment(self) -> dict[str, str]:
        environment = instance_environment(
            self.lrp,
            self.index,
            self.guid,
            self._sidecar.places,
            self._host.surroundings,
            str(self._root),
            self._host.clock.now(),
        )
        return environment | self._sidecar.environment

    def _exit_description(self) -> str:
        assert self._process is not None
        status = processes.exit_status(self._process.returncode or 0)
        return f"{self._source}: Exited with status {status}"

    @property
    def _source(self) -> str:
        return f"APP/PROC/{self.lrp.process_type.upper()}"

    def _print(self, text: str, error: bool) -> None:
        self._say(self._source, text, error=error)

    def _say(self, source: str, text: str, *, error: bool = False) -> None:
        try:
            self._host.logs.write(self.lrp.app_guid, source, str(self.index), text, error)
        except OSError as failure:  # a full disk must not take the app down
            self._host.log.error("failed-to-log", app_guid=self.lrp.app_guid, error=str(failure))

    def _become(self, state: State) -> None:
        self.state, self.since = state, self._host.clock.monotonic()


async def _outcome(work: Awaitable[None]) -> Exception | None:
    """What the work raised: an expected end, which is to be told by whoever waits for it."""
    try:
        await work
    except (Stopped, Crashed, health.Unhealthy) as failure:
        return failure
    return None


async def _first(*tasks: asyncio.Task[Any]) -> None:
    """Wait until one of them is done, and let go of the others."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
