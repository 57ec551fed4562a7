"""One component under supervision: its process, its probes and its life."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from cfroute.clock import Clock
from cfroute.errors import TimedOut
from cfroute.foundation.components import Component
from cfroute.foundation.events import ComponentStatus
from cfroute.foundation.policy import Lifecycle, State, describe_exit
from cfroute.foundation.probes import look
from cfroute.foundation.processes import Process, identify

# Seconds between two probes. Only a start is in a hurry.
_INTERVALS = {State.STARTING: 0.025, State.UNHEALTHY: 0.25, State.RUNNING: 2.0}
_AGAIN_HEALTHY = 30.0


class Children(Protocol):
    """What makes processes and sends them signals."""

    def start(self, component: Component) -> None: ...

    def send_signal(self, pid: int, number: int) -> None: ...


class Unit:
    """Keeps one component running; `on_change` is called after each change of its status.

    `works` is set once the component has been healthy for the first time.
    """

    def __init__(
        self, component: Component, children: Children, ca: Path, clock: Clock, on_change: Callable[["Unit"], None]
    ) -> None:
        self.component = component
        self.life = Lifecycle(clock.monotonic())
        self.process: Process | None = None
        self._children = children
        self._ca = ca
        self._clock = clock
        self._on_change = on_change
        self.works = asyncio.Event()
        self._gone = asyncio.Event()
        self._wake = asyncio.Event()
        self._end_with: int | None = None
        self._told: ComponentStatus | None = None

    async def wait_for(self, others: Iterable["Unit"]) -> None:
        """Return when all of them have worked once."""
        for other in others:
            self.life.wait(f"for {other.component.name}", self._clock.monotonic())
            self._tell()
            await other.works.wait()

    async def keep(self) -> None:
        """Start the component, and start it again whenever it ends, until it has been stopped."""
        while True:
            self._gone.clear()
            self._wake.clear()
            self.life.start(self._clock.monotonic())
            self._tell()
            self._children.start(self.component)
            await self._watch()
            if not await self._until_due():
                return

    def started(self, pid: int) -> None:
        """There is a process."""
        self.process = identify(self.component.name, pid)
        if self._end_with is not None:
            self._children.send_signal(pid, self._end_with)
        self._tell()

    def ended(self, reason: str) -> None:
        """The process is gone, or could not be made."""
        self.process = None
        self.life.exited(reason, self._clock.monotonic())
        self._gone.set()
        self._tell()

    def exited(self, status: int) -> None:
        """The process has ended: with this exit status, or negative for a signal."""
        self.ended(describe_exit(status, signal.Signals(-status).name if status < 0 else ""))

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End the component for good: with the signal, and with SIGKILL when that takes too long."""
        self.life.stop(self._clock.monotonic())
        self._wake.set()
        self._tell()
        if self.life.state is State.STOPPING:
            await self._end(number)

    async def restart(self) -> None:
        """End the process and wait for the next one to be healthy. Raises TimedOut when that takes more than 30 s."""
        self.life.restart(self._clock.monotonic())
        self._wake.set()
        if self.process is not None:
            await self._end(self.component.stop_signal)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN_HEALTHY):
                while self.life.state is not State.RUNNING:
                    await self._clock.sleep(0.02)
                return
        raise TimedOut(f"{self.component.name} was restarted, but is {self.life.state}: {self.life.reason}")

    def status(self) -> ComponentStatus:
        age = self._clock.monotonic() - self.life.since
        return ComponentStatus(
            name=self.component.name,
            state=self.life.state,
            since=round(self._clock.now() - age, 3),
            pid=self.process.pid if self.process else 0,
            address=self.component.address,
            restarts=self.life.restarts,
            last_error=self.life.last_error or self.life.reason,
        )

    async def _watch(self) -> None:
        while not self._gone.is_set():
            if self.process is not None:
                problem = await look(self.component.probe, self._ca)
                self.life.probed(problem, self._clock.monotonic())
                if self.life.ever_healthy:
                    self.works.set()
                self._tell()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), _INTERVALS.get(self.life.state, 1.0))

    async def _until_due(self) -> bool:
        """Wait until it is time for the next process; False when there is to be none."""
        while (due := self.life.wakes_at) is not None:
            left = due - self._clock.monotonic()
            if left <= 0:
                return True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)
            self._wake.clear()
        return False

    async def _end(self, number: int) -> None:
        self._signal(number)
        try:
            await asyncio.wait_for(self._gone.wait(), self.component.stop_seconds)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._gone.wait()
        self._end_with = None

    def _signal(self, number: int) -> None:
        self._end_with = number
        if self.process is not None:
            self._children.send_signal(self.process.pid, number)

    def _tell(self) -> None:
        status = self.status()
        told, self._told = self._told, status
        if told is None or _visible(told) != _visible(status):
            self._on_change(self)


def _visible(status: ComponentStatus) -> tuple[object, ...]:
    # While it starts, it is no news that nobody listens yet.
    reason = "" if status.state == State.STARTING else status.last_error
    return status.state, status.pid, status.restarts, reason
