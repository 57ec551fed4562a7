"""A sample app as a process of its own, started as a cell would start it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cfroute.cli.apps import samples

from ..ports import free_port


class App:
    """One running sample."""

    def __init__(self, name: str, log: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-B", "-u", "server.py"],
                cwd=samples.folder(name),
                env={"PATH": os.environ["PATH"], "PORT": str(self.port)} | environment,
                stdout=output,
                stderr=output,
            )
        self.until(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def until(self, look: Callable[[], object], timeout: float = 10) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if look():
                    return
            self._pause()
        raise AssertionError(self.log)

    def _pause(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.02)

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


Start = Callable[..., App]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    apps: list[App] = []

    def start_(name: str, **environment: str) -> App:
        app = App(name, tmp_path / f"{name}.log", environment)
        apps.append(app)
        return app

    yield start_
    for app in apps:
        app.process.kill()
        app.process.wait()
