"""A route registrar as a process."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from ..conformance.conftest import DEADLINE, Nats
from ..program import program
from ..waiting import eventually


def server(nats: Nats, **changes: Any) -> dict[str, Any]:
    """An entry of `message_bus_servers`."""
    return {"host": f"127.0.0.1:{nats.port}", "user": "nats", "password": "pw", **changes}


def http(name: str, **changes: Any) -> dict[str, Any]:
    """A route with a short interval."""
    return {"name": name, "host": "10.0.0.1", "port": 80, "uris": [f"{name}.test"], "registration_interval": "200ms", **changes}


class Registrar:
    """`cfroute route-registrar`, from its start to its end; its files are in `folder`."""

    def __init__(self, folder: Path, config: dict[str, Any] | str, *arguments: str) -> None:
        file = folder / "registrar_settings.json"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        self.output, self.errors = folder / "registrar.log", folder / "registrar.err"
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            command = [str(program()), "route-registrar", "-configPath", str(file), *arguments]
            self.process = subprocess.Popen(command, stdout=output, stderr=errors)

    def said(self, message: str) -> list[dict[str, Any]]:
        """The data of the lines with that message."""
        return [line["data"] for line in self.lines() if line["message"] == f"Route Registrar.{message}"]

    def lines(self) -> list[dict[str, Any]]:
        whole = self.output.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def messages(self) -> list[str]:
        return [line["message"].removeprefix("Route Registrar.") for line in self.lines()]

    def until_said(self, message: str, count: int = 1) -> None:
        eventually(lambda: len(self.said(message)) >= count or self.process.poll() is not None, message)
        assert len(self.said(message)) >= count, self.output.read_text() + self.errors.read_text()

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit status."""
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        return self.process.wait(DEADLINE)

    def ended(self) -> int:
        """The exit status of one that ends by itself."""
        return self.process.wait(DEADLINE)
