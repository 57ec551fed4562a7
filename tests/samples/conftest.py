"""A sample app as a process of its own, started as a cell would start it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cfroute.cli.apps import samples

from ..ports import free_port
from ..waiting import eventually


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

    def until(self, look: Callable[[], object]) -> None:
        """Return when it is true; fails with the log when the app ends before."""
        eventually(lambda: self.process.poll() is not None or look(), ignoring=OSError)
        assert self.process.poll() is None, self.log

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


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
