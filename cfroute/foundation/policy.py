"""When a component is started again, and what its state is called: decisions only, with the time as an argument.

    stopped ──start──▶ starting ──healthy──▶ running ◀──healthy── unhealthy
                          │                     │  └──unhealthy──────▲ │
                          └────── exited ───────┴──── exited ─────────┘
                                     ▼
                                backing-off ──after the pause──▶ starting

From everywhere: ──stop──▶ stopping ──exited──▶ stopped. Before its first start, a component may be waiting for another one.
"""

from enum import StrEnum

PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before the first, second, … restart in a row
HEALTHY_FOR = 30.0  # seconds of health after which earlier failures are forgotten


class State(StrEnum):
    """What `cfroute status` shows."""

    STOPPED = "stopped"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    BACKING_OFF = "backing-off"
    STOPPING = "stopping"
    EXTERNAL = "external"


ALIVE = frozenset({State.STARTING, State.RUNNING, State.UNHEALTHY})


class Lifecycle:
    """The life of one component, over many processes.

    Times are those of `Clock.monotonic`. `failures` counts exits that nobody asked for, since it was last healthy for
    HEALTHY_FOR seconds; `restarts` counts every process after the first. `reason` explains the present state; `last_error` is the
    last thing that went wrong, and stays when all is well again.
    """

    def __init__(self, now: float) -> None:
        self.state = State.STOPPED
        self.since = now
        self.reason = ""
        self.last_error = ""
        self.restarts = 0
        self.failures = 0
        self.ever_healthy = False
        self._started_once = False
        self._due: float | None = None
        self._restarting = False

    def __repr__(self) -> str:
        return f"<Lifecycle {self.state} since {self.since:.3f} {self.reason!r}>"

    def wait(self, reason: str, now: float) -> None:
        """There is to be a process, but not yet."""
        self._enter(State.WAITING, now, reason)

    def start(self, now: float) -> None:
        """A process is being made."""
        if self._started_once:
            self.restarts += 1
        self._started_once = True
        self._due = None
        self._restarting = False
        self._enter(State.STARTING, now, "")

    def probed(self, problem: str, now: float) -> None:
        """A health probe came back; `problem` is empty when all is well."""
        if self.state not in ALIVE:
            return
        if not problem:
            self._enter(State.RUNNING, now, "")
            self.ever_healthy = True
            if now - self.since >= HEALTHY_FOR:
                self.failures = 0
        elif self.state is State.STARTING:
            self.reason = problem
        else:
            self.last_error = problem
            self._enter(State.UNHEALTHY, now, problem)

    def restart(self, now: float) -> None:
        """The process is about to be ended on purpose; the next one follows at once."""
        self.failures = 0
        self._restarting = True
        if self.state not in ALIVE:
            self._due = now

    def stop(self, now: float) -> None:
        """The component is not to run any more; a process that it has is about to be ended."""
        self._due = None
        self._enter(State.STOPPING if self.state in ALIVE else State.STOPPED, now, "")

    def exited(self, reason: str, now: float) -> None:
        """The process is gone; `reason` says how."""
        if self.state is State.STOPPING:
            self._enter(State.STOPPED, now, "")
        if self.state not in ALIVE:
            return
        if self._restarting:
            self._enter(State.BACKING_OFF, now, "restarting")
            self._due = now
            return
        if self.state is State.RUNNING and now - self.since >= HEALTHY_FOR:
            self.failures = 0
        pause = PAUSES[min(self.failures, len(PAUSES) - 1)]
        self.failures += 1
        self.last_error = reason
        self._enter(State.BACKING_OFF, now, reason)
        self._due = now + pause

    def due(self, now: float) -> bool:
        """Whether it is time to start a process."""
        return self._due is not None and now >= self._due

    @property
    def wakes_at(self) -> float | None:
        """When `due` will become true, or None."""
        return self._due

    def _enter(self, state: State, now: float, reason: str) -> None:
        if state is not self.state:
            self.state = state
            self.since = now
        self.reason = reason


def describe_exit(status: int, signal_name: str = "") -> str:
    """How a process ended, in words: `status` as of `waitstatus_to_exitcode`, negative for a signal."""
    if status < 0:
        return f"killed by {signal_name or f'signal {-status}'}"
    return f"exit status {status}"
