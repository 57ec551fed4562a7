"""A real Locket process, and what it needs."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from cfroute import certificates

from ..ports import free_port
from ..program import program
from ..waiting import eventually

DEADLINE = 30.0


def write_identities(folder: Path) -> None:
    """An authority and one identity for everybody: ca.pem, id.pem, id.key; and one that nobody trusts: strange.*."""
    for name, common in (("id", "everybody"), ("strange", "somebody")):
        authority = certificates.make_authority(common, time.time())
        identity = certificates.issue(authority, common, ["127.0.0.1", "localhost"], time.time())
        (folder / f"{name}.pem").write_bytes(identity.certificate)
        (folder / f"{name}.key").write_bytes(identity.key)
        if name == "id":
            (folder / "ca.pem").write_bytes(authority.certificate)


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    """A good configuration, but for what is said."""
    return {
        "listen_address": f"127.0.0.1:{free_port()}",
        "ca_file": str(folder / "ca.pem"),
        "cert_file": str(folder / "id.pem"),
        "key_file": str(folder / "id.key"),
        "database_connection_string": str(folder / "locket.sqlite"),
        "log_level": "debug",
        **more,
    }


class Locket:
    """`cfroute locket`, from its start to its end."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.output = folder / "locket.log"
        self.config = config
        self.port = int(config["listen_address"].rpartition(":")[2] or 0)
        file = folder / "locket.json"
        file.write_text(json.dumps(config))
        self._before = len(self._lines())
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [str(program()), "locket", "-config", str(file)], stdout=output, stderr=subprocess.STDOUT
            )

    def started(self) -> "Locket":
        eventually(lambda: self.process.poll() is not None or self.said("locket.started"), "a start")
        assert self.process.poll() is None, self.output.read_text()
        return self

    def _lines(self) -> list[str]:
        return self.output.read_text().splitlines() if self.output.exists() else []

    def said(self, message: str) -> list[dict[str, Any]]:
        """The data of the lines with that message since the start."""
        lines = (json.loads(line) for line in self._lines()[self._before :] if line.startswith("{"))
        return [line["data"] for line in lines if line["message"] == message]

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit status."""
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        return self.process.wait(DEADLINE)
