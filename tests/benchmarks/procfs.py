"""What Linux tells of running processes: CPU time and memory. Elsewhere every answer is None."""

import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def session(leader: int) -> list[int]:
    """The processes of the session that `leader` began."""
    return [pid for pid in _all() if (fields := _stat(pid)) and int(fields[3]) == leader]


def marked(mark: str) -> list[int]:
    """The processes that have `mark` (NAME=value) in their environment, and all their descendants."""
    wanted = mark.encode()
    found = {pid for pid in _all() if wanted in _read(pid, "environ").split(b"\0")}
    parents = {pid: int(fields[1]) for pid in _all() if (fields := _stat(pid))}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def children(parent: int) -> list[int]:
    """The processes that `parent` started itself and that have not been waited for."""
    return [pid for pid in _all() if (fields := _stat(pid)) and int(fields[1]) == parent]


def command(pid: int) -> bytes:
    """The command line of a process; empty when it has ended."""
    return _read(pid, "cmdline").replace(b"\0", b" ").strip()


def cpu_seconds(pids: Iterable[int]) -> float | None:
    """CPU time that the processes have used, in user and in kernel mode together."""
    spent = [sum(map(int, fields[11:13])) for pid in pids if (fields := _stat(pid))]
    return sum(spent) / os.sysconf("SC_CLK_TCK") if spent else None


def memory(pids: Iterable[int]) -> int | None:
    """Bytes held by the processes; a page shared by n of them counts one n-th for each (PSS)."""
    found = [_pss(pid) for pid in pids]
    return sum(found) if found else None


def _pss(pid: int) -> int:
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _all() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()] if PROC.is_dir() else []


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat after the name (state first), or nothing when the process has gone."""
    return _read(pid, "stat").rpartition(b") ")[2].split()


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended meanwhile, or belongs to somebody else
        return b""
