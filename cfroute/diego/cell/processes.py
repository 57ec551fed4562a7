"""The processes of instances: ending them, finding those that hide, and measuring them.

An instance is a session and process group of its own. What leaves it on purpose (a daemon, say) still carries the
CF_INSTANCE_GUID in its environment, and is found by that.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from cfroute.diego.cell.child import Child

_GUID = re.compile(rb"(?:^|[\0 ])CF_INSTANCE_GUID=([^\0 ]+)")
_PROC = Path("/proc")


def exit_status(returncode: int) -> int:
    """The status that a shell would show: 128 + N for signal N."""
    return returncode if returncode >= 0 else 128 - returncode


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group that may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(group, number)


async def end_group(process: Child, grace: float) -> None:
    """SIGTERM to the whole group, and after `grace` seconds SIGKILL to what is left of it."""
    if process.returncode is None:
        signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace)
    signal_group(process.pid, signal.SIGKILL)
    await process.wait()


def kill_strays(instance_guids: Collection[str]) -> list[int]:
    """SIGKILL to every process that was started for one of these instances; their pids."""
    wanted = {guid.encode() for guid in instance_guids}
    found = [pid for pid, environment in _environments() if _guid_of(environment) in wanted and pid != os.getpid()]
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return found


def _guid_of(environment: bytes) -> bytes | None:
    found = _GUID.search(environment)
    return found.group(1) if found else None


def _environments() -> Iterator[tuple[int, bytes]]:
    if not (_PROC / "self" / "environ").exists():
        yield from _environments_by_ps()
        return
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # gone meanwhile, or somebody else's
                yield int(entry.name), (entry / "environ").read_bytes()


def _environments_by_ps() -> Iterator[tuple[int, bytes]]:
    listing = subprocess.run(["ps", "axeww", "-o", "pid=,command="], capture_output=True, check=False)
    for line in listing.stdout.splitlines():
        pid, _, command = line.strip().partition(b" ")
        if pid.isdigit():
            yield int(pid), command


@dataclass
class Usage:
    """What the processes of one session hold and have used: CPU seconds in all, bytes now."""

    cpu_seconds: float = 0.0
    memory: int = 0


def usage_by_session(sessions: Collection[int]) -> dict[int, Usage]:
    """The usage of these sessions; nothing where the system has no /proc."""
    found = {session: Usage() for session in sessions}
    if not found or not _PROC.is_dir():
        return {}
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # proc(5): the name may hold spaces and brackets, the fields after the last bracket start with no. 3
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        usage = found.get(int(fields[3]))
        if usage:
            usage.cpu_seconds += (int(fields[11]) + int(fields[12])) / ticks
            usage.memory += int(fields[21]) * page
    return found
