"""A real Gorouter process between a real nats-server and scripted backends, driven with raw sockets.

The tests here hold what upstream's Gorouter was seen to do: what goes in and out is compared as bytes.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..ports import free_port
from ..program import program
from ..waiting import eventually
from .metering import Authority, Metered, Metron

DEADLINE = 30.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Nats:
    """A real nats-server, and just enough of the client protocol to publish and to listen."""

    def __init__(self) -> None:
        binary = Path(sys.executable).with_name("nats-server")
        self.port = free_port()
        self._subscriptions = 0
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._command = [str(binary) if binary.exists() else shutil.which("nats-server") or "nats-server"]
        self._command += ["-a", "127.0.0.1", "-p", str(self.port), "--user", "nats", "--pass", "pw"]
        self.start()

    def start(self) -> None:
        self._waiting.clear()
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def connect() -> socket.socket | None:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self.port))
            return None

        self._socket = eventually(connect, "nats-server")
        self._socket.settimeout(DEADLINE)
        self._reader = self._socket.makefile("rb")
        self._reader.readline()
        self._socket.sendall(b'CONNECT {"verbose":false,"user":"nats","pass":"pw","echo":false}\r\nPING\r\n')
        assert self._reader.readline() == b"PONG\r\n"

    def publish(self, subject: str, payload: dict[str, Any] | bytes, reply: str = "") -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        line = f"PUB {subject} {reply} {len(data)}\r\n".replace("  ", " ")
        self._socket.sendall(line.encode() + data + b"\r\nPING\r\n")
        self._pong()

    def subscribe(self, subject: str) -> None:
        self._subscriptions += 1
        self._socket.sendall(f"SUB {subject} {self._subscriptions}\r\nPING\r\n".encode())
        self._pong()

    def next(self) -> tuple[str, bytes]:
        """Subject and payload of the next message."""
        if self._waiting:
            return self._waiting.popleft()
        while not (line := self._line()).startswith(b"MSG "):
            pass
        return self._message(line)

    def _pong(self) -> None:
        """The server has handled what we sent. Messages that come meanwhile wait for `next`."""
        while (line := self._line()) != b"PONG":
            assert line.startswith(b"MSG "), line
            self._waiting.append(self._message(line))

    def _message(self, line: bytes) -> tuple[str, bytes]:
        parts = line.split()
        payload = self._reader.read(int(parts[-1]) + 2)[:-2]
        return parts[1].decode(), payload

    def _line(self) -> bytes:
        line = self._reader.readline().strip()
        while line == b"PING":
            self._socket.sendall(b"PONG\r\n")
            line = self._reader.readline().strip()
        return line

    def stop(self) -> None:
        self._reader.close()
        self._socket.close()
        self.process.kill()
        self.process.wait()


class Backend:
    """Listens on a port and answers each connection as told.

    `respond` gets the connection and does what it likes; by default each request is recorded and answered with 200 `ok`.
    """

    def __init__(self, respond: Callable[[socket.socket], None] | bytes = OK) -> None:
        self.seen: list[bytes] = []
        self._respond = respond
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(DEADLINE)
        with connection, contextlib.suppress(OSError):
            if callable(self._respond):
                self._respond(connection)
                return
            while request := read_request(connection):
                self.seen.append(request)
                connection.sendall(self._respond)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def read_request(connection: socket.socket) -> bytes:
    """One request, head and body as they came; b"" at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    if length := re.search(rb"\r\nContent-Length: (\d+)", head):
        while len(body) < int(length[1]):
            body += connection.recv(65536)
    elif b"Transfer-Encoding: chunked" in head:
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@dataclass
class Response:
    """A response as it came."""

    raw: bytes
    status: int = 0
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def parse(cls, raw: bytes) -> "Response":
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        _, status, reason = [*first.split(" ", 2), ""][:3]
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return cls(raw, int(status), reason, headers, body)

    def __getitem__(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Router:
    """A running Gorouter."""

    def __init__(self, folder: Path, nats: Nats, settings: dict[str, Any]) -> None:
        self.nats = nats
        self.port, self.status_port, self.routes_port = free_port(), free_port(), free_port()
        self.access_log = folder / "access.log"
        config: dict[str, Any] = {
            "port": self.port,
            "status": {
                "port": self.status_port,
                "user": "u",
                "pass": "p",
                "routes": {"port": self.routes_port},
                **settings.get("status", {}),
            },
            "nats": {"hosts": [{"hostname": "127.0.0.1", "port": nats.port}], "user": "nats", "pass": "pw"},
            "route_services_internal_server_port": free_port(),
            "access_log": {"file": str(self.access_log)},
            "logging": {"level": "debug"},
            "cfroute": {"start_delay": "0s"},
            "disable_keep_alives": False,
            **{key: value for key, value in settings.items() if key != "status"},
        }
        file = folder / "gorouter.yml"
        file.write_text(yaml.safe_dump(config))
        self.output = folder / "gorouter.log"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [program(), "gorouter", "-c", file],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        eventually(lambda: self.process.poll() is not None or self.health() == 200, "a healthy Gorouter")
        assert self.process.poll() is None, self.output.read_text()

    def health(self) -> int:
        with contextlib.suppress(OSError):
            return self.fetch(b"GET /health HTTP/1.0\r\n\r\n", self.status_port).status
        return 0

    def register(self, uri: str, backend: Backend | int, **message: Any) -> None:
        """Register a backend and wait until the route is there."""
        port = backend if isinstance(backend, int) else backend.port
        self.nats.publish("router.register", {"host": "127.0.0.1", "port": port, "uris": [uri], **message})
        key = uri.lower().rstrip("/")
        shown = str(message.get("tls_port", port))
        eventually(lambda: any(e["address"].endswith(f":{shown}") for e in self.routes().get(key, ())), f"route {uri}")

    def unregister(self, uri: str, backend: Backend) -> None:
        self.nats.publish("router.unregister", {"host": "127.0.0.1", "port": backend.port, "uris": [uri]})

    def routes(self) -> dict[str, list[dict[str, Any]]]:
        request = b"GET /routes HTTP/1.0\r\nAuthorization: Basic dTpw\r\n\r\n"
        routes: dict[str, list[dict[str, Any]]] = json.loads(self.fetch(request, self.routes_port).body)
        return routes

    def connect(self, port: int | None = None) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", port or self.port))
        connection.settimeout(DEADLINE)
        return connection

    def fetch(self, request: bytes, port: int | None = None) -> Response:
        """Send bytes, read until the router closes (ask it to), parse."""
        with self.connect(port) as connection:
            connection.sendall(request)
            raw = b""
            while piece := connection.recv(1 << 16):
                raw += piece
        return Response.parse(raw)

    def get(self, host: str, target: str = "/", *headers: str, method: str = "GET", body: bytes = b"") -> Response:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        return self.fetch("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def lines(self, message: str) -> list[dict[str, Any]]:
        """The log lines with that message."""
        told = f'"message":"{message}"'  # only lines that have it are parsed: tests poll, and the shared log is long
        return [json.loads(line) for line in self.output.read_text().splitlines() if line[:1] == "{" and told in line]

    def log(self, message: str) -> list[dict[str, Any]]:
        """The data of these lines."""
        return [line["data"] for line in self.lines(message)]

    def access_lines(self, count: int) -> list[str]:
        """The access log, once it has that many lines."""
        return eventually(
            lambda: lines if len(lines := self.access_log.read_text().splitlines()) >= count else None, f"{count} access lines"
        )

    def access_line(self, text: str) -> str:
        """The line of the access log with `text` in it, once it is there."""
        return eventually(
            lambda: next((line for line in self.access_log.read_text().splitlines() if text in line), None),
            f"an access line with {text}",
        )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        return self.process.wait(DEADLINE)


@pytest.fixture(scope="session")
def shared_nats() -> Iterator[Nats]:
    nats = Nats()
    yield nats
    nats.stop()


@pytest.fixture(scope="session")
def shared_router(shared_nats: Nats, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    """A Gorouter with upstream's defaults but for kept connections, and two attempts; tests use hosts of their own."""
    router = Router(tmp_path_factory.mktemp("gorouter"), shared_nats, {"backends": {"max_attempts": 2}})
    yield router
    assert router.stop() == 0


@pytest.fixture(scope="session")
def metered(shared_nats: Nats, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    """A Gorouter that shows its metrics to Prometheus and to metron, with short pruning cycles and tight limits."""
    folder = tmp_path_factory.mktemp("metered")
    metron, authority, port = Metron(), Authority(folder), free_port()
    settings = {
        "prometheus": {"enabled": True, "port": port},
        "per_app_prometheus_http_metrics_reporting": True,
        "logging": {"level": "debug", "metron_address": metron.address},
        "prune_stale_droplets_interval": "200ms",
        "route_latency_metric_muzzle_duration": "0s",
        "empty_pool_response_code_503": True,
        "empty_pool_timeout": "1m",
        "backends": {"max_conns": 1, "max_attempts": 2},
        "route_services": {"max_attempts": 1},
        "route_services_secret": "secret",
        "ca_certs": [authority.pem],
    }
    router = Router(folder, shared_nats, settings)
    yield Metered(router, metron, authority, port)
    assert router.stop() == 0
    metron.close()


@pytest.fixture
def start(shared_nats: Nats, tmp_path: Path) -> Iterator[Callable[..., Router]]:
    """Starts a Gorouter with settings of the test's own."""
    routers: list[Router] = []

    def begin(nats: Nats | None = None, **settings: Any) -> Router:
        folder = tmp_path / str(len(routers))
        folder.mkdir()
        routers.append(Router(folder, nats or shared_nats, settings))
        return routers[-1]

    yield begin
    for router in routers:
        router.process.kill()
        router.process.wait()


@pytest.fixture
def backend() -> Iterator[Callable[..., Backend]]:
    """Makes scripted backends, closed after the test."""
    made: list[Backend] = []

    def make(respond: Callable[[socket.socket], None] | bytes = OK) -> Backend:
        made.append(Backend(respond))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Routers:
    """Starts Gorouters and backends that all tests of a module share."""

    def __init__(self, nats: Nats, folder: Callable[[], Path]) -> None:
        self._nats = nats
        self._folder = folder
        self._routers: list[Router] = []
        self._backends: list[Backend] = []

    def start(self, **settings: Any) -> Router:
        self._routers.append(Router(self._folder(), self._nats, settings))
        return self._routers[-1]

    def backend(self, respond: Callable[[socket.socket], None] | bytes = OK) -> Backend:
        self._backends.append(Backend(respond))
        return self._backends[-1]

    def close(self) -> None:
        for backend in self._backends:
            backend.close()
        for router in self._routers:
            assert router.stop() == 0


@pytest.fixture(scope="module")
def module_routers(shared_nats: Nats, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routers]:
    routers = Routers(shared_nats, lambda: tmp_path_factory.mktemp("router"))
    yield routers
    routers.close()
