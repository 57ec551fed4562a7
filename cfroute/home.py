"""The state folder: where everything that a foundation keeps is, and nothing else.

foundation.json          the plan and options of the last `up`
secrets.json             passwords and keys (0600)
cli.json                 targeted org and space, tokens (0600)
certs/                   the foundation's authorities and their certificates (keys 0600)
config/                  one upstream-style configuration file a component (0600)
db/                      ccdb.sqlite, uaa.sqlite, bbs.sqlite, …
blobs/                   packages/ and droplets/ of the Cloud Controller
cells/N/                 the containers of cell N
logs/                    <component>.log, and apps/<app guid>.log* (the log cache)
run/                     lock, pid, control socket: meaningless when nothing runs
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cfroute.errors import ConfigurationError


@dataclass(frozen=True)
class Home:
    """The paths inside one state folder."""

    root: Path

    @classmethod
    def find(cls, state_dir: str | None = None) -> "Home":
        """The folder named by `--state-dir`, `$CFROUTE_HOME`, or `$XDG_STATE_HOME/cfroute` (`~/.local/state/cfroute`)."""
        named = state_dir or os.environ.get("CFROUTE_HOME")
        if named:
            return cls(Path(named).expanduser().absolute())
        base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return cls(Path(base).expanduser().absolute() / "cfroute")

    @property
    def foundation(self) -> Path:
        return self.root / "foundation.json"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def cli(self) -> Path:
        return self.root / "cli.json"

    @property
    def certs(self) -> Path:
        return self.root / "certs"

    @property
    def ca(self) -> Path:
        return self.certs / "ca.crt"

    @property
    def components_ca(self) -> Path:
        """The authority whose certificates open the components' doors to each other; nobody else gets one of it."""
        return self.certs / "components_ca.crt"

    @property
    def routing_api_ca(self) -> Path:
        """The authority of the Routing API and its clients, for mutual TLS between them."""
        return self.certs / "routing_api_ca.crt"

    @property
    def instance_identity_ca(self) -> Path:
        """The authority that the certificates of app instances are signed by, a new one for each instance."""
        return self.certs / "instance_identity_ca.crt"

    @property
    def trusted(self) -> Path:
        """The system's certificate authorities and the foundation's, in one file."""
        return self.certs / "trusted.pem"

    @property
    def signing_key(self) -> Path:
        return self.certs / "uaa_signing.key"

    @property
    def verification_key(self) -> Path:
        """The public half of the signing key."""
        return self.certs / "uaa_signing.pub"

    def certificate(self, name: str) -> Path:
        return self.certs / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.certs / f"{name}.key"

    def pair(self, name: str) -> Path:
        """Certificate and key in one file, for those who want it so."""
        return self.certs / f"{name}.pem"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def databases(self) -> Path:
        return self.root / "db"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def cells(self) -> Path:
        return self.root / "cells"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def app_logs(self) -> Path:
        return self.logs / "apps"

    def log(self, component: str) -> Path:
        """The log of a component: `gorouter/0` writes to `gorouter-0.log`."""
        return self.logs / f"{file_name(component)}.log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    def create(self) -> None:
        """Make the folders, readable by their owner only. Raises ConfigurationError when that is impossible."""
        try:
            for folder in (
                self.root,
                self.certs,
                self.config,
                self.databases,
                self.blobs,
                self.cells,
                self.logs,
                self.app_logs,
                self.run,
            ):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
            probe = self.run / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"the state folder {self.root} cannot be used: {error.strerror}",
                "choose another with --state-dir DIR or CFROUTE_HOME",
            ) from error


def file_name(component: str) -> str:
    """A component's name as part of a file's name: `cell/0` is `cell-0`."""
    return component.replace("/", "-")


def write_secretly(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace the file at once (a reader sees the old or the new text), readable by its owner only.

    Not `durable` is quicker, for what need not outlive a power cut.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
