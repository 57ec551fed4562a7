"""`cfroute uaa` as a process, over TLS."""

import ssl
import subprocess
import time
from pathlib import Path
from types import TracebackType

import httpx
import msgspec

from cfroute import certificates
from cfroute.uaa.config import Config

from ..ports import free_port
from ..program import program
from ..waiting import eventually

_PATIENCE = 30.0  # seconds


class Daemon:
    """Runs while the block does."""

    def __init__(self, config: Config) -> None:
        self._folder = Path(config.database).parent
        authority = certificates.make_authority("test", time.time())
        pair = certificates.issue(authority, "uaa", ["127.0.0.1"], time.time())
        for name, pem in {"ca.pem": authority.certificate, "uaa.pem": pair.certificate, "uaa.key": pair.key}.items():
            (self._folder / name).write_bytes(pem)
        self.trusts = ssl.create_default_context(cafile=str(self._folder / "ca.pem"))
        self._port = free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        self._log = self._folder / "uaa.log"
        self.write(config)

    def write(self, config: Config) -> None:
        """Replace the daemon's configuration file."""
        config = msgspec.structs.replace(
            config, port=self._port, certificate=str(self._folder / "uaa.pem"), key=str(self._folder / "uaa.key")
        )
        (self._folder / "uaa.yml").write_bytes(msgspec.json.encode(config))

    def __enter__(self) -> "Daemon":
        self.start()
        return self

    def start(self) -> None:
        """Return when it listens."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program(), "uaa", "-c", self._folder / "uaa.yml"], stdout=log, stderr=log)
        self._wait_for('"started"')

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._process.terminate()
        assert self._process.wait(_PATIENCE) == 0

    def kill(self) -> None:
        """End it without a warning."""
        self._process.kill()
        self._process.wait(_PATIENCE)

    def hang_up(self, logged: str) -> None:
        """Send SIGHUP, and wait until the log has the message."""
        before = self._log.read_text().count(f'"{logged}"')
        self._process.send_signal(1)
        self._wait_for(f'"{logged}"', before + 1)

    def client_token(self, name: str, secret: str) -> str:
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(f"{self.url}/oauth/token", auth=(name, secret), data=form, verify=self.trusts)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def _wait_for(self, text: str, times: int = 1) -> None:
        eventually(lambda: self._process.poll() is not None or self._log.read_text().count(text) >= times, text)
        assert self._process.poll() is None, self._log.read_text()
