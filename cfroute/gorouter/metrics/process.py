"""What the operating system knows of this process, under the names of Prometheus's process collector."""

import os
import resource
import sys
from pathlib import Path

_PROC = Path("/proc/self")
_UNLIMITED = float(1 << 64)  # as Go's collector shows it


def descriptors() -> int:
    """How many file descriptors are open, counting the one to look with. Raises OSError."""
    return len(os.listdir("/proc/self/fd" if _PROC.exists() else "/dev/fd"))


def cpu_seconds() -> float:
    """User and system time so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def most_memory() -> int:
    """The largest resident memory so far, in KiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most


def figures() -> dict[str, float]:
    """The figures by name; without /proc (macOS) there are fewer of them, as with Go's collector."""
    found = {
        "process_cpu_seconds_total": cpu_seconds(),
        "process_open_fds": float(descriptors()),
        "process_max_fds": _limit(resource.RLIMIT_NOFILE),
        "process_virtual_memory_max_bytes": _limit(resource.RLIMIT_AS),
    }
    if _PROC.exists():
        pages = [int(number) for number in (_PROC / "statm").read_text().split()]
        found["process_virtual_memory_bytes"] = float(pages[0] * resource.getpagesize())
        found["process_resident_memory_bytes"] = float(pages[1] * resource.getpagesize())
        found["process_start_time_seconds"] = _start_time()
    return found


def _limit(which: int) -> float:
    soft, _ = resource.getrlimit(which)
    return _UNLIMITED if soft == resource.RLIM_INFINITY else float(soft)


def _start_time() -> float:
    """Seconds since the epoch: the machine's start, and the ticks from there to ours."""
    after_name = (_PROC / "stat").read_text().rpartition(")")[2].split()
    booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    return float(booted.split()[1]) + int(after_name[19]) / os.sysconf("SC_CLK_TCK")
