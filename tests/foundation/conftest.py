"""State folders and supervisors for the tests of the foundation; what they start is gone when the test is over."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cfroute.home import Home

from .toys import Supervised, eventually, is_gone


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "state")
    found.create()
    return found


@pytest.fixture
def supervise(home: Home) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def start(*names: str, **settings: Any) -> Supervised:
        started.append(Supervised(home, *names, **settings))
        return started[-1]

    yield start
    for supervised in started:
        left = supervised.all_processes()
        if supervised.process.poll() is None:
            supervised.process.send_signal(signal.SIGTERM)
            try:
                supervised.process.wait(10)
            except subprocess.TimeoutExpired:
                supervised.process.kill()
        supervised.process.wait()
        supervised.output()
        eventually(lambda pids=left: all(is_gone(pid) for pid in pids))
