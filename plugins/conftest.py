"""Programs of plugins as processes of their own, as somebody starts them who has nothing else of cfroute."""

import base64
import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PLUGINS = Path(__file__).parent
CREDENTIALS = "Basic " + base64.b64encode(b"admin:secret").decode()


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Program:
    """One that runs. `ports` are where it listens, in its order."""

    def __init__(self, module: str, *arguments: str, servers: int = 1, **environment: str) -> None:
        path = os.pathsep.join(str(folder) for folder in PLUGINS.glob("cfroute-*"))
        base = {"PATH": os.environ["PATH"], "PYTHONPATH": path}
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", module, *arguments],
            env=base | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        self.ports: list[int] = []
        self.said: list[str] = []
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("listening on "):
                self.ports.append(int(line.rpartition(":")[2]))
            if len(self.ports) == servers:
                return
        raise AssertionError(self.said)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None, server: int = 0) -> Got:
        """A request on a connection of its own."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.ports[server], timeout=30)) as connection:
            chunked = "Transfer-Encoding" in (headers or {})
            connection.request(method, path, body, headers or {}, encode_chunked=chunked)
            answer = connection.getresponse()
            return Got(answer.status, dict(answer.getheaders()), answer.read())

    def broker(self, method: str, path: str, body: Any = None, server: int = 0) -> tuple[int, Any]:
        """A request to the broker, as the platform sends it."""
        headers = {"Authorization": CREDENTIALS, "X-Broker-API-Version": "2.15"}
        got = self.ask(method, f"/v2/{path}", headers, json.dumps(body) if body is not None else None, server)
        return got.status, json.loads(got.body)

    def end(self) -> list[str]:
        """Everything that it said; it has to end with 0."""
        if self._process.poll() is None:
            self._process.terminate()
        rest, _ = self._process.communicate(timeout=30)
        self.said += rest.splitlines()
        assert self._process.returncode == 0, self.said
        return self.said

    def kill(self) -> None:
        """End it, however."""
        self._process.kill()
        self._process.communicate()


Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs that are ended with the test."""
    started: list[Program] = []

    def start_(module: str, *arguments: str, servers: int = 1, **environment: str) -> Program:
        started.append(Program(module, *arguments, servers=servers, **environment))
        return started[-1]

    yield start_
    for program in started:
        program.kill()


@pytest.fixture
def app() -> Iterator[tuple[int, list[tuple[str, str, dict[str, str], bytes]]]]:
    """The port of an app, and what it was asked: method, path, headers, body."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    class App(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers.get("Upgrade"):
                self.send_response(101)
                self.send_header("Upgrade", "echo")
                self.send_header("Connection", "Upgrade")
                self.end_headers()
                self.wfile.write(b"you said " + self.rfile.read1(100))
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size + 2)[:-2]
                self.rfile.readline()
            seen.append((self.command, self.path, dict(self.headers.items()), body))
            self.send_response(201)
            if self.path == "/chunked":
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"5\r\nfrom \r\n7\r\nthe app\r\n0\r\n\r\n")
                return
            self.send_header("X-App", "yes")
            self.send_header("Content-Length", "12")
            self.end_headers()
            self.wfile.write(b"from the app")

        do_POST = do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    yield server.server_port, seen
    server.shutdown()
    serving.join()
    server.server_close()
