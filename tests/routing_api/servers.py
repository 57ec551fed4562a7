"""Real database servers on loopback, from Debian's packages, each in a folder of its own that goes away with it.

Both speak TLS as well, with an identity of `write_identities`.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ..ports import free_port
from ..waiting import eventually
from .daemons import DEADLINE, write_identities

USER, PASSWORD, SCHEMA = "routing", "p@ss/w:rd'", "routing-api"
_DEBIAN = "/usr/sbin:/usr/bin:/sbin:/bin"


class Server:
    """A server that runs until `stop`. `as_user` is who it runs as when we are root."""

    type = ""
    crash_signal = signal.SIGKILL

    def __init__(self, as_user: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cfroute-database-"))
        self.port = free_port()
        self._as: dict[str, Any] = {"user": as_user, "group": as_user, "extra_groups": []} if os.geteuid() == 0 else {}
        write_identities(self.folder)
        (self.folder / "id.key").chmod(0o600)
        self._log = (self.folder / "log").open("ab")
        if self._as:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, as_user, as_user)

    def run(self, command: Sequence[object], **options: Any) -> None:
        """Run a program to its end."""
        words = [str(word) for word in command]
        done = subprocess.run(words, stdout=self._log, stderr=self._log, cwd=self.folder, check=False, **self._as, **options)
        assert done.returncode == 0, (self.folder / "log").read_text()

    def begin(self, command: Sequence[object]) -> None:
        """Start the server, and wait until it listens. It ends with the tests, even if those are killed."""
        self._command = command
        words = ["setpriv", "--pdeathsig", "KILL", *(str(word) for word in command)]
        self.process = subprocess.Popen(words, stdout=self._log, stderr=self._log, cwd=self.folder, **self._as)
        eventually(self._looked_at, "a database server")

    def crash(self) -> None:
        """End it so that it has no time to write anything."""
        self.process.send_signal(self.crash_signal)
        self.process.wait(DEADLINE)

    def restart(self) -> None:
        """Start it again, with what it has on its disk."""
        self.begin(self._command)

    def _looked_at(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return self.ready()

    def ready(self) -> bool:
        """Whether it takes connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def stop(self, how: signal.Signals) -> None:
        """End the server, and remove what it had."""
        self.process.send_signal(how)
        self.process.wait(DEADLINE)
        self._log.close()
        shutil.rmtree(self.folder)

    def sqldb(self, **more: Any) -> dict[str, Any]:
        """The `sqldb` section of who uses this server."""
        place = {"type": self.type, "host": "127.0.0.1", "port": self.port}
        return {**place, "username": USER, "password": PASSWORD, "schema": SCHEMA, **more}


class MariaDB(Server):
    """MySQL's protocol, a native password, and characters of up to four bytes."""

    type = "mysql"

    def __init__(self) -> None:
        super().__init__("mysql")
        data = self.folder / "data"
        quoted = PASSWORD.replace("'", "''")
        (self.folder / "init.sql").write_text(
            f"CREATE DATABASE IF NOT EXISTS `{SCHEMA}` CHARACTER SET utf8mb4;\n"
            f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('{quoted}');\n"
            f"GRANT ALL ON `{SCHEMA}`.* TO '{USER}'@'%';\n"
        )
        self.run([_found("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db"])
        identity = {"cert": "id.pem", "key": "id.key", "ca": "ca.pem"}
        tls = [f"--ssl-{name}={self.folder / file}" for name, file in identity.items()]
        place = [f"--datadir={data}", "--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.folder / 's'}"]
        self.begin([_found("mariadbd"), "--no-defaults", f"--init-file={self.folder / 'init.sql'}", *place, *tls])

    def close(self) -> None:
        self.stop(signal.SIGTERM)


class PostgreSQL(Server):
    """PostgreSQL, with its usual password authentication."""

    type = "postgres"
    crash_signal = signal.SIGQUIT  # its other processes would outlive a killed one for a moment

    def __init__(self) -> None:
        super().__init__("postgres")
        data = self.folder / "data"
        (self.folder / "password").write_text(PASSWORD)
        login = ["--username", USER, "--pwfile", self.folder / "password", "--auth", "scram-sha-256"]
        self.run([_found("initdb"), "--pgdata", data, *login, "--no-sync"])
        with (data / "postgresql.conf").open("a") as config:
            config.write(f"ssl = on\nssl_cert_file = '{self.folder / 'id.pem'}'\nssl_key_file = '{self.folder / 'id.key'}'\n")
        place = ["-h", "127.0.0.1", "-p", self.port, "-k", self.folder]
        self.begin([_found("postgres"), "-D", data, *place])
        create = [_found("createdb"), "-h", "127.0.0.1", "-p", self.port, "-U", USER, SCHEMA]
        self.run(create, env={"PGPASSWORD": PASSWORD, "PATH": _DEBIAN})

    def ready(self) -> bool:
        ask = [_found("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]  # it listens before it does
        return subprocess.run(ask, stdout=self._log, stderr=self._log, check=False).returncode == 0

    def close(self) -> None:
        self.stop(signal.SIGINT)  # does not wait for who is connected


SERVERS = {"mariadb": MariaDB, "postgresql": PostgreSQL}


@contextlib.contextmanager
def running(name: str) -> Iterator[MariaDB | PostgreSQL]:
    """One of SERVERS while the block runs; skips the test where the package is not there."""
    needed = {"mariadb": ("mariadbd", "mariadb-server"), "postgresql": ("initdb", "postgresql")}[name]
    if _look_for(needed[0]) is None:
        pytest.skip(f"{needed[1]} is not installed")
    server = SERVERS[name]()
    try:
        yield server
    finally:
        server.close()


def _found(program: str) -> str:
    path = _look_for(program)
    assert path is not None, program
    return path


def _look_for(program: str) -> str | None:
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return shutil.which(program, path=":".join([os.environ.get("PATH", ""), _DEBIAN, *map(str, newest)]))
