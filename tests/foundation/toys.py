"""What the tests of the foundation are made with: waiting, ports, and a supervisor of toy daemons."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cfroute.foundation.client import FoundationClient
from cfroute.foundation.processes import recorded
from cfroute.home import Home

HERE = Path(__file__).parent


def is_gone(pid: int) -> bool:
    """Whether there is no such process, or only its zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


class Supervised:
    """A supervisor of toy daemons (see toy_supervisor.py), running."""

    def __init__(self, home: Home, *names: str, timeout: float = 10.0, forks: bool = True) -> None:
        self.home = home
        self.client = FoundationClient(home)
        arguments = [str(home.root), str(timeout), "fork" if forks else "spawn", *names]
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "toy_supervisor.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )

    def wait_ready(self) -> "Supervised":
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == b"ready\n":
                return self
        raise AssertionError(f"the supervisor ended with {self.process.wait()}")

    def output(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read().decode()

    def pids(self) -> dict[str, int]:
        return {component["name"]: component["pid"] for component in self.client.status()}

    def component(self, name: str) -> dict[str, Any]:
        return next(component for component in self.client.status() if component["name"] == name)

    def all_processes(self) -> list[int]:
        """The supervisor, the nursery and all components."""
        return [self.process.pid, *(process.pid for process in recorded(self.home))]
