"""How long `cfroute up` takes, and how much memory all processes of a foundation hold together."""

import contextlib
import os
import secrets
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import procfs
from .machine import BenchError

UP_WITHIN = 60.0


@dataclass(frozen=True)
class Figures:
    """A foundation's start-up times and memory; the first start also makes keys and certificates."""

    first_seconds: float
    seconds: float
    processes: int
    memory_mb: float | None


class Foundation:
    """A foundation in a state folder of its own, started and stopped with the command line only."""

    def __init__(self, cfroute: Sequence[str], state: Path, ports: Iterator[int]) -> None:
        self._cfroute = list(cfroute)
        self._mark = f"CFROUTE_BENCH_MARK={secrets.token_hex(8)}"
        name, _, value = self._mark.partition("=")
        self.environment = {**os.environ, "CFROUTE_HOME": str(state), name: value}
        self._ports = [*(f"--{what}-port={next(ports)}" for what in ("http", "https", "api")), "--tcp-ports=0"]

    def up(self) -> float:
        """Start it; returns the seconds until it was ready."""
        began = time.monotonic()
        self._run("up", "--detach", *self._ports)
        return time.monotonic() - began

    def down(self) -> None:
        """Stop it."""
        self._run("down")

    def processes(self) -> list[int]:
        """The process ids of everything that `up` left running."""
        return procfs.marked(self._mark)

    def kill(self) -> None:
        """Leave nothing running, whatever happened."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _run(self, *arguments: str) -> None:
        """Run a command; its output goes to a file, for a pipe would be held open by what `up` leaves running."""
        with tempfile.TemporaryFile("w+") as output:
            try:
                status = subprocess.run(
                    [*self._cfroute, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=UP_WITHIN,
                    env=self.environment,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired as error:
                raise BenchError(f"cfroute {arguments[0]} did not end within {UP_WITHIN:g} s") from error
            output.seek(0)
            said = output.read().strip().splitlines()
        if status:
            raise BenchError(f"cfroute {arguments[0]} failed: {' '.join(said[-3:]) or status}")


def measure(cfroute: Sequence[str], state: Path, ports: Iterator[int], rounds: int) -> Figures:
    """Start a new foundation, then again `rounds` times, and read its memory when up. Raises BenchError."""
    foundation = Foundation(cfroute, state, ports)
    try:
        first = foundation.up()
        again = []
        for _ in range(rounds):
            foundation.down()
            again.append(foundation.up())
        processes = foundation.processes()
        memory = procfs.memory(processes)
        foundation.down()
    finally:
        foundation.kill()
    return Figures(first, statistics.median(again), len(processes), None if memory is None else memory / 1_000_000)
