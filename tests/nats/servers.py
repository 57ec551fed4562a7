"""Real nats-servers for the tests of the client and of the session."""

import socket
import subprocess
from pathlib import Path

from cfroute.nats.server import find_binary

from ..ports import free_port
from ..waiting import eventually


class NatsServer:
    """A nats-server on a port of its own; `settings` are further lines of its configuration file."""

    def __init__(self, folder: Path, settings: str = "", *, user: str = "u", password: str = "p") -> None:
        self.port = free_port()
        self._file = folder / f"nats-{self.port}.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(settings, user=user, password=password)

    def configure(self, settings: str = "", *, user: str = "u", password: str = "p") -> None:
        """What its next start reads."""
        login = f"authorization {{ user: {user}, password: {password} }}" if user else ""
        self._file.write_text(f"host: 127.0.0.1\nport: {self.port}\n{login}\n{settings}\n")

    def start(self) -> None:
        command = [find_binary(), "-c", str(self._file)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._listens, "the start of nats-server")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
