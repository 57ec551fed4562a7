"""Processes by pid and start time, because pids are used again: who they are, whether they live, and ending left-over ones."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from cfroute.home import Home, write_secretly


class Process(msgspec.Struct, frozen=True):
    """A process of this foundation. `started` is whatever the system uses to tell it from a later one with the same pid."""

    name: str
    pid: int
    started: str


def identify(name: str, pid: int) -> Process:
    """The process with this pid as it is now; `started` is "" when there is none."""
    return Process(name, pid, _start_time(pid))


def is_alive(process: Process) -> bool:
    """Whether it still runs: the same process, and no zombie."""
    return bool(process.started) and _start_time(process.pid) == process.started


def _start_time(pid: int) -> str:
    if os.path.isdir("/proc/self"):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        if fields[0] in {"Z", "X"} and not _has_threads(pid):
            return ""
        return fields[19]  # field 22 of stat(5), counted from the state
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def _has_threads(pid: int) -> bool:
    """Whether a thread outlives the first one of a process that is called a zombie already: it still holds the ports."""
    try:
        return len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def record(home: Home, processes: Iterable[Process]) -> None:
    """Remember what has been started, for the case that we are killed. No fsync: it means nothing after a power cut."""
    write_secretly(_file(home), msgspec.json.encode(list(processes)), durable=False)


def recorded(home: Home) -> list[Process]:
    """What the last supervisor had started, as far as it can still be read."""
    try:
        return msgspec.json.decode(_file(home).read_bytes(), type=list[Process])
    except (OSError, msgspec.MsgspecError):  # never written, or cut off: then nothing is known of it
        return []


def forget(home: Home) -> None:
    _file(home).unlink(missing_ok=True)


def end_leftovers(home: Home, *, seconds: float = 5.0, pause: Callable[[float], None] = time.sleep) -> list[Process]:
    """Kill what a supervisor that was killed itself has left behind, and wait until it is gone; returns what was found.

    Only processes that were recorded, and still are the same ones, are touched.
    """
    found = [process for process in recorded(home) if is_alive(process)]
    for process in found:
        send(process, signal.SIGKILL)
    waited = 0.0
    while waited < seconds and any(is_alive(process) for process in found):
        pause(0.01)
        waited += 0.01
    forget(home)
    return found


def send(process: Process, number: int) -> None:
    """Send a signal, unless the process is gone."""
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _file(home: Home) -> Path:
    return home.run / "children.json"
