"""The machine under the benchmark: who runs on which core, free ports, processes that cannot outlive the run.

Strategy: whatever is measured has core 0 for itself, the same for every contender; the load generator has
core 1, and shares it with the backend unless there is a third. On macOS, where cores cannot be chosen, all
run anywhere.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

STARTS_WITHIN = 20.0
ENDS_WITHIN = 5.0


class NotInstalledError(Exception):
    """A program that a part of the benchmark needs is not installed: that part is left out."""


class BenchError(Exception):
    """A program that was started did not do what it should."""


class Role(Enum):
    """What a process is for, and so which core it runs on."""

    PROXY = 0
    LOAD = 1
    BACKEND = 2
    FREE = None

    @property
    def cores(self) -> set[int] | None:
        """The cores of this role; None: any."""
        if self is Role.FREE or not hasattr(os, "sched_getaffinity"):
            return None
        usable = sorted(os.sched_getaffinity(0))
        return {usable[min(self.value, len(usable) - 1)]} if len(usable) > 1 else None


class Machine:
    """A temporary folder and the processes that were started from it; both are gone when the block ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cfroute-bench-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for process in reversed(self._processes):
            end(process)
        self._folder.cleanup()

    def start(
        self,
        name: str,
        command: Sequence[str],
        role: Role,
        *,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a server, its output in `<name>.out`, and return when it is `ready`. Raises BenchError."""
        output = self.folder / f"{name}.out"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=settle(role),
                env={**os.environ, **(environment or {})},
            )
        self._processes.append(process)
        until(lambda: process.poll() is not None or ready(), STARTS_WITHIN, f"{name} is not ready")
        if process.poll() is not None:
            raise BenchError(f"{name} ended at once: {_last_line(output)}")
        return process


def settle(role: Role) -> Callable[[], None]:
    """What a child does before it runs its program: go to its core, and die with the benchmark (Linux)."""
    cores = role.cores
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        if cores is not None:
            os.sched_setaffinity(0, cores)
        if libc is not None:
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

    return prepare


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its session: SIGTERM, then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)
            return


def program(name: str) -> str:
    """The path of a program, from this virtual environment or from PATH. Raises NotInstalledError."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        raise NotInstalledError(f"{name} is not installed")
    return found


def version(command: Sequence[str]) -> str:
    """The first line of what a program says of its version."""
    said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return next(iter((said.stdout + said.stderr).strip().splitlines()), "")


def free_ports() -> Iterator[int]:
    """Loopback ports that nobody listens on, each given out once."""
    given: set[int] = set()
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in given:
            given.add(port)
            yield port


def accepts(port: int) -> bool:
    """Whether something listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool], seconds: float, complaint: str) -> None:
    """Return as soon as the condition holds. Raises BenchError with the complaint after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"{complaint} after {seconds:g} s")
        time.sleep(0.005)


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
