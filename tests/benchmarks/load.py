"""Load, made by wrk, and what one run of it showed."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import procfs
from .machine import BenchError, Role, program, settle

HOST = "r50000.bench.local"
REPORT = Path(__file__).with_name("report.lua")


@dataclass(frozen=True)
class Load:
    """What wrk asks for: a path, over so many connections, each kept alive or closed after one request."""

    path: str
    connections: int
    close: bool = False


@dataclass(frozen=True)
class Sample:
    """One run of one load against one contender."""

    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_seconds: float | None

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def bandwidth(self) -> float:
        """Bytes a second."""
        return self.bytes / self.seconds

    @property
    def cpu_share(self) -> float | None:
        """The part of one core that the contender used; near 1: it, not the load generator, was the limit."""
        return None if self.cpu_seconds is None else self.cpu_seconds / self.seconds


def run(load: Load, url: str, seconds: int, session: int | None) -> Sample:
    """Put the load on `url` for so long, and count what CPU time it costs the session. Raises BenchError."""
    command = [
        program("wrk"),
        "-t1",
        f"-c{load.connections}",
        f"-d{seconds}s",
        "-s",
        str(REPORT),
    ]
    command += ["-H", f"Host: {HOST}", *(["-H", "Connection: close"] if load.close else []), url + load.path]
    before = _cpu(session)
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        preexec_fn=settle(Role.LOAD),
        check=False,
    )
    after = _cpu(session)
    figures = done.stdout.strip().splitlines()[-1:]
    if done.returncode or not figures or not figures[0].startswith("{"):
        raise BenchError(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    spent = None if before is None or after is None else after - before
    return Sample(**json.loads(figures[0]), cpu_seconds=spent)


def _cpu(session: int | None) -> float | None:
    return None if session is None else procfs.cpu_seconds(procfs.session(session))
