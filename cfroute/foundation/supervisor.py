"""The supervisor: keeps every component running, says when the foundation is ready, and takes it down in order."""

import asyncio
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.errors import CfrouteError, TimedOut
from cfroute.foundation import component_logs, control, names, processes
from cfroute.foundation.brood import Brood
from cfroute.foundation.components import Component
from cfroute.foundation.events import ComponentStatus, Event, Ready, StateChanged, Stopping
from cfroute.foundation.hatchery import Hatched
from cfroute.foundation.policy import State
from cfroute.foundation.unit import Unit
from cfroute.home import Home
from cfroute.logs import Logger

_HOPELESS = 4  # starts that failed before the component was ever healthy
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """Runs the components of one foundation.

    `hatch` makes a nursery; it is called again should that be killed. `external` are the parts that somebody else runs: they are
    only shown. `began` is the monotonic time at which the start began, for the figure in `Ready`.
    """

    def __init__(
        self,
        home: Home,
        components: Sequence[Component],
        hatch: Callable[[], Hatched],
        clock: Clock,
        log: Logger,
        *,
        external: Sequence[ComponentStatus] = (),
        began: float | None = None,
    ) -> None:
        self._home = home
        self._hatch = hatch
        self._clock = clock
        self._log = log
        self._external = list(external)
        self._began = clock.monotonic() if began is None else began
        self._units = {component.name: Unit(component, self, home.ca, clock, self._changed) for component in components}
        self._watchers: list[Callable[[Event], None]] = []
        self._news = asyncio.Event()
        self._stop_asked = asyncio.Event()
        self._stopped = asyncio.Event()
        self._why = ""
        self._signalled = 0
        self._ready = False

    async def run(self, timeout: float) -> int:
        """Run the foundation until it is asked to end; the exit status.

        That is 0 when it was ready and ended in order, and 128 + the signal that interrupted the start or forced the end.
        Raises TimedOut when it is not ready after `timeout` seconds, and CfrouteError when a component does not start at all;
        then nothing is left running.
        """
        self._catch_signals()
        await self._adopt(self._hatch())
        component_logs.set_aside_large(self._home.logs, self._log)
        self._last_words = component_logs.LastWords(self._home, self._units)
        spawn(component_logs.keep_small(self._home.logs, self._clock, self._log), name="keep logs small")
        async with control.serving(self._home, self):
            try:
                for unit in self._units.values():
                    spawn(self._keep(unit), name=f"keep {unit.component.name}")
                await self._until_ready(timeout)
                await self._stop_asked.wait()
            finally:
                await self._stop_all()
        return self._exit_status()

    # --- what the control socket asks for -------------------------------------------------------------------------------

    def status(self) -> list[ComponentStatus]:
        return [*self._external, *(unit.status() for unit in self._units.values())]

    async def restart(self, name: str) -> ComponentStatus:
        unit = self._unit(name)
        self._log.info("restart", component=unit.component.name)
        await unit.restart()
        return unit.status()

    async def kill(self, name: str, number: int) -> ComponentStatus:
        unit = self._unit(name)
        status = unit.status()
        if not status.pid:
            raise CfrouteError(f"{status.name} has no process now: it is {status.state}", "look at `cfroute status`")
        self._log.info("kill", component=status.name, pid=status.pid, signal=number)
        self._brood.signal(status.pid, number)
        return status

    async def down(self) -> None:
        self.ask_stop("cfroute down")
        await self._stopped.wait()

    def subscribe(self, watcher: Callable[[Event], None]) -> Callable[[], None]:
        for component in self.status():
            watcher(StateChanged(component))
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def ask_stop(self, why: str) -> None:
        """Take the foundation down. Only the first call counts."""
        if not self._stop_asked.is_set():
            self._why = why
            self._stop_asked.set()
            self._news.set()

    # --- what the nursery reports, and what the units want of it --------------------------------------------------------

    def child_started(self, name: str, pid: int) -> None:
        self._units[name].started(pid)
        self._record()

    def child_failed(self, name: str, error: str) -> None:
        self._units[name].ended(error)

    def child_exited(self, pid: int, status: int) -> None:
        for unit in self._units.values():
            if unit.process is not None and unit.process.pid == pid:
                unit.exited(status)

    def start(self, component: Component) -> None:
        self._brood.start(component, self._home.log(component.name))

    def send_signal(self, pid: int, number: int) -> None:
        self._brood.signal(pid, number)

    # --------------------------------------------------------------------------------------------------------------------

    def _unit(self, name: str) -> Unit:
        matched = names.match(name, [component.name for component in self.status()])
        if matched not in self._units:
            raise CfrouteError(f"{matched} is not run by this foundation: it is external", "`cfroute status` says where it is")
        return self._units[matched]

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._interrupted, number)

    def _interrupted(self, number: signal.Signals) -> None:
        if not self._stop_asked.is_set():
            if not self._ready:
                self._signalled = number
            self.ask_stop(number.name)
            return
        self._signalled = number
        self._log.warn("forced", signal=number.name)
        for unit in self._units.values():
            if unit.process is not None:
                self._brood.signal(unit.process.pid, signal.SIGKILL)

    def _exit_status(self) -> int:
        return 128 + self._signalled if self._signalled else 0

    async def _adopt(self, hatched: Hatched) -> None:
        self._brood = Brood(hatched, self)
        reader = await self._brood.connect()
        spawn(self._listen(self._brood, reader), name="nursery")

    async def _listen(self, brood: Brood, reader: asyncio.StreamReader) -> None:
        await brood.listen(reader)
        if self._stopped.is_set():
            return
        self._log.error("nursery-lost", pid=brood.pid)
        brood.close()
        await self._adopt(self._hatch())
        for unit in self._units.values():
            if unit.process is not None:
                processes.send(unit.process, signal.SIGKILL)  # its exit would never be reported
                unit.ended("the process that had started it is gone")

    async def _keep(self, unit: Unit) -> None:
        await unit.wait_for(self._units[name] for name in unit.component.after if name in self._units)
        if not self._stop_asked.is_set():
            await unit.keep()

    async def _until_ready(self, timeout: float) -> None:
        left = timeout
        while not self._stop_asked.is_set():
            self._give_up_on(unit for unit in self._units.values() if _is_hopeless(unit))
            if all(unit.life.state is State.RUNNING for unit in self._units.values()):
                self._ready = True
                seconds = round(self._clock.monotonic() - self._began, 3)
                self._log.info("ready", seconds=seconds)
                self._tell(Ready(seconds))
                return
            left = self._began + timeout - self._clock.monotonic()
            if left <= 0:
                raise TimedOut(*self._complaint(f"the foundation is not ready after {timeout:g} s"))
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)

    def _give_up_on(self, hopeless: Iterable[Unit]) -> None:
        for unit in hopeless:
            name, reason = unit.component.name, unit.life.last_error
            raise CfrouteError(*self._complaint(f"{name} does not start: {reason}"))

    def _complaint(self, what: str) -> tuple[str, str]:
        """A message with the last words of those to blame, and where there is more.

        To blame is who has failed; if nobody has, who is not healthy yet.
        """
        ill = [unit for unit in self._units.values() if unit.life.state is not State.RUNNING]
        lines = [what]
        for unit in [unit for unit in ill if unit.life.failures] or ill:
            name = unit.component.name
            lines.append(f"  {name}: {unit.life.state} {unit.life.reason}".rstrip())
            lines += [f"    {line}" for line in self._last_words.of(name)]
        return "\n".join(lines), f"the whole logs are in {self._home.logs}"

    async def _stop_all(self) -> None:
        self._log.info("stopping", why=self._why)
        self._tell(Stopping(self._why))
        for phase in self._phases():
            await asyncio.gather(*(unit.stop() for unit in phase))
        self._stopped.set()
        self._brood.close()
        processes.forget(self._home)
        self._log.info("stopped")

    def _phases(self) -> list[list[Unit]]:
        """Who is stopped together, in order. What was never ready serves nobody, and needs no order."""
        units = list(self._units.values())
        phases = sorted({unit.component.phase for unit in units}) if self._ready else []
        return [[unit for unit in units if unit.component.phase == phase] for phase in phases] or [units]

    def _record(self) -> None:
        running = [unit.process for unit in self._units.values() if unit.process is not None]
        nursery = processes.identify("nursery", self._brood.pid)
        try:
            processes.record(self._home, [nursery, *running])
        except OSError as error:  # a full disk: the next supervisor may miss what outlives a SIGKILL, but this one goes on
            self._log.warn("not-recorded", error=str(error))

    def _changed(self, unit: Unit) -> None:
        status = unit.status()
        log = self._log.warn if status.state in {State.UNHEALTHY, State.BACKING_OFF} else self._log.info
        log("component", name=status.name, state=status.state, pid=status.pid, reason=status.last_error)
        self._tell(StateChanged(status))
        self._news.set()

    def _tell(self, event: Event) -> None:
        for watcher in list(self._watchers):
            watcher(event)


def _is_hopeless(unit: Unit) -> bool:
    return not unit.life.ever_healthy and unit.life.failures >= _HOPELESS
