"""Load, made by wrk (HTTP/1.1) and h2load (HTTP/2), and what one run of it showed."""

import json
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import procfs
from .machine import BenchError, Role, program, settle

HOST = "r50000.bench.local"
REPORT = Path(__file__).with_name("report.lua")


@dataclass(frozen=True)
class Load:
    """What is asked for: a path, over so many connections, each kept alive or closed after one request.

    `streams` are requests at a time on each connection, which are then TLS with HTTP/2; 0 is HTTP/1.1 without TLS.
    `headers` are further ones, for HTTP/1.1.
    """

    path: str
    connections: int
    close: bool = False
    streams: int = 0
    headers: tuple[str, ...] = ()


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
    return _h2load(load, url, seconds, session) if load.streams else _wrk(load, url, seconds, session)


def _wrk(load: Load, url: str, seconds: int, session: int | None) -> Sample:
    command = [
        program("wrk"),
        "-t1",
        f"-c{load.connections}",
        f"-d{seconds}s",
        "-s",
        str(REPORT),
    ]
    command += ["-H", f"Host: {HOST}", *(["-H", "Connection: close"] if load.close else [])]
    command += [*(word for header in load.headers for word in ("-H", header)), url + load.path]
    done, spent = _watched(command, seconds, session)
    figures = done.stdout.strip().splitlines()[-1:]
    if done.returncode or not figures or not figures[0].startswith("{"):
        raise BenchError(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    return Sample(**json.loads(figures[0]), cpu_seconds=spent)


def _h2load(load: Load, url: str, seconds: int, session: int | None) -> Sample:
    with tempfile.NamedTemporaryFile("r", prefix="h2load-") as log:
        command = [program("h2load"), "-t1", f"-c{load.connections}", f"-m{load.streams}", f"-D{seconds}"]
        command += [f"--log-file={log.name}", "-H", f":authority: {HOST}", url + load.path]
        done, spent = _watched(command, seconds, session)
        times = sorted(int(line.rpartition("\t")[2]) / 1000 for line in log)
    counts = re.search(r"(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", done.stdout)
    total = re.search(r"traffic: \S+ \((\d+)\) total", done.stdout)
    if done.returncode or counts is None or total is None or len(times) < 2:
        raise BenchError(f"h2load failed: {(done.stderr or done.stdout).strip()}")
    requests, succeeded, failed, _ = map(int, counts.groups())
    quantiles = statistics.quantiles(times, n=100)
    errors = requests - succeeded + failed
    return Sample(requests, float(seconds), int(total[1]), quantiles[49], quantiles[98], errors, spent)


def _watched(command: list[str], seconds: int, session: int | None) -> "tuple[subprocess.CompletedProcess[str], float | None]":
    """Run a load generator; also the CPU time that the session spent meanwhile."""
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
    return done, None if before is None or after is None else after - before


def _cpu(session: int | None) -> float | None:
    return None if session is None else procfs.cpu_seconds(procfs.session(session))
