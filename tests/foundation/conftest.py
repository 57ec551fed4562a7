"""State folders and supervisors for the tests of the foundation; what they start is gone when the test is over."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cfroute.home import Home

from ..waiting import eventually
from .toys import Supervised, is_gone


@pytest.fixture
def home(tmp_path: Path, cheap_state: None) -> Home:
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
    pids = {pid for supervised in started for pid in supervised.all_processes()}
    for supervised in started:
        if supervised.process.poll() is None:
            supervised.process.send_signal(signal.SIGTERM)
        supervised.output()
        supervised.process.wait(30)
    eventually(lambda: all(is_gone(pid) for pid in pids))
