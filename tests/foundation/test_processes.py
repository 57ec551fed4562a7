"""Who a process is, and ending only those that are the recorded ones."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cfroute.foundation.processes import Process, end_leftovers, identify, is_alive, record, recorded, send
from cfroute.home import Home

from ..waiting import eventually
from .toys import is_gone


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_known_by_pid_and_start(sleeper: "subprocess.Popen[bytes]") -> None:
    known = identify("sleeper", sleeper.pid)
    assert is_alive(known)
    assert not is_alive(Process("other", sleeper.pid, "1"))
    sleeper.kill()
    sleeper.wait()
    assert not is_alive(known)
    assert identify("sleeper", sleeper.pid).started == ""


def test_only_the_recorded_ones_are_ended(home: Home, sleeper: "subprocess.Popen[bytes]") -> None:
    impostor = Process("impostor", os.getpid(), "1")
    left = identify("left", sleeper.pid)
    record(home, [left, impostor])
    assert end_leftovers(home) == [left]
    assert is_gone(sleeper.pid)
    assert recorded(home) == []


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_damaged_record_is_no_record(home: Home, text: str) -> None:
    (home.run / "children.json").write_text(text)
    assert end_leftovers(home) == []


def test_nothing_is_sent_to_who_is_gone(sleeper: "subprocess.Popen[bytes]") -> None:
    send(Process("other", sleeper.pid, "1"), signal.SIGKILL)
    assert sleeper.poll() is None


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system has no /proc")
def test_a_process_whose_first_thread_has_ended_is_alive_as_long_as_another_is() -> None:
    script = (
        "import ctypes, sys, threading\n"
        "threading.Thread(target=sys.stdin.read).start()\n"
        "print('ready', flush=True)\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process = identify("child", child.pid)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdout.readline()
        stat = Path(f"/proc/{child.pid}/stat")
        eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z", "the end of its first thread")
        assert is_alive(process)
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
    assert not is_alive(process)
