"""A real TCP router, a Routing API that does as it is told, and backends."""

import contextlib
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from cfroute.routing_api.api import Event, TcpRoute

from ..ports import free_port
from ..program import program
from ..routing_api.daemons import DEADLINE
from ..waiting import eventually

__all__ = ["DEADLINE", "Backend", "ScriptedApi", "TcpRouter", "ask", "connected", "eventually", "free_port", "line", "need"]


class ScriptedApi:
    """Answers as it is told: `routes`, `groups` and `statuses` (by path, first come first served) may be changed at any time."""

    def __init__(self) -> None:
        self.routes: list[TcpRoute] = []
        self.groups: list[dict[str, str]] = []
        self.statuses: dict[str, list[int]] = {}
        self.asked: list[tuple[str, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        """Cleared, the list of routes is not answered until it is set."""
        self._streams: list[queue.SimpleQueue[bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked == f"/routing/v1/{path}" for asked, _ in self.asked)

    def send(self, *events: Event[TcpRoute] | bytes) -> None:
        """Tell the listeners; bytes go out as they are, and b"" ends the streams."""
        for event in events:
            data = event if isinstance(event, bytes) else encoded(event)
            for stream in self._streams:
                stream.put(data)

    def until_listened_to(self) -> "ScriptedApi":
        eventually(lambda: self._streams, "a subscription")
        return self

    def close(self) -> None:
        self.gate.set()
        self.send(b"")
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.removeprefix("/routing/v1/")
                api.asked.append((self.path, self.headers.get("Authorization", "")))
                planned = api.statuses.get(path)
                status = planned.pop(0) if planned else 200
                if status != 200:
                    self._answer(b'{"name":"E","message":"as told"}', status)
                elif path == "tcp_routes/events":
                    self._stream()
                elif path == "router_groups":
                    self._answer(json.dumps(api.groups).encode())
                else:
                    api.gate.wait(DEADLINE)
                    self._answer(msgspec.json.encode(api.routes))

            def _answer(self, body: bytes, status: int = 200) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _stream(self) -> None:
                told: queue.SimpleQueue[bytes] = queue.SimpleQueue()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream; charset=utf-8")
                self.send_header("Transfer-Encoding", "chunked")
                self.send_header("Connection", "close")  # as it will be, or the router would ask for more over it
                self.end_headers()
                api._streams.append(told)
                with contextlib.suppress(OSError):
                    while data := told.get():
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                    self.wfile.write(b"0\r\n\r\n")
                api._streams.remove(told)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """The test looks at what was asked."""

        return Handler


def encoded(event: Event[TcpRoute]) -> bytes:
    return b"id: 0\nevent: %b\ndata: %b\n\n" % (event.action.encode(), msgspec.json.encode(event.route))


def whole(line: str) -> bool:
    """Whether it is a line of a log, and all of it was written by now."""
    return line.startswith("{") and line.endswith("\n")


class TcpRouter:
    """`cfroute tcp-router` with its files in `folder`."""

    def __init__(self, folder: Path, settings: dict[str, Any], *flags: str) -> None:
        folder.mkdir(exist_ok=True)
        self.health_port = free_port()
        extensions = {"health_port": self.health_port, **settings.get("cfroute", {})}
        file = folder / "tcp_router.yml"
        file.write_text(yaml.safe_dump({**settings, "cfroute": extensions}))
        self.output = folder / "tcp-router.log"
        command = [program(), "tcp-router", "-config", file, "-logLevel", "debug", "-dropsondePort", "1", *flags]
        # Not in `folder`: the names of sockets must be short.
        self._scratch = tempfile.TemporaryDirectory(prefix="cfroute-")
        environment = {**os.environ, "TMPDIR": self._scratch.name}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)

    def lines(self) -> list[tuple[str, dict[str, Any]]]:
        """Messages without the source, and their data."""
        told = [json.loads(line) for line in self.output.read_text().splitlines(True) if whole(line)]
        return [(line["message"].removeprefix("tcp-router."), line["data"]) for line in told]

    def messages(self) -> list[str]:
        return [message for message, _ in self.lines()]

    def said(self, message: str) -> list[dict[str, Any]]:
        """The data of the lines with that message."""
        return [data for told, data in self.lines() if told == message]

    def until_said(self, message: str, times: int = 1) -> list[dict[str, Any]]:
        eventually(lambda: len(self.said(message)) >= times or self.process.poll() is not None, message)
        found = self.said(message)
        assert len(found) >= times, self.output.read_text()
        return found

    def until_healthy(self) -> "TcpRouter":
        eventually(lambda: self.health() == 200 or self.process.poll() is not None, "a healthy TCP router")
        assert self.process.poll() is None, self.output.read_text()
        return self

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=DEADLINE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def health(self) -> int:
        with contextlib.suppress(OSError):
            return self._get("/health")[0]
        return 0

    def table(self) -> dict[str, Any]:
        status, body = self._get("/cfroute/table")
        assert status == 200, body
        shown: dict[str, Any] = json.loads(body)
        return shown

    def routes(self) -> dict[tuple[int, str], list[str]]:
        """The backends of each port and server name."""
        return {
            (route["port"], route["sni"]): [f"{backend['host']}:{backend['port']}" for backend in route["backends"]]
            for route in self.table()["routes"]
        }

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def exit_status(self) -> int:
        return self.process.wait(DEADLINE)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.send_signal(how)
        status = self.exit_status()
        self._scratch.cleanup()
        return status


class Backend:
    """Says its name to each connection, then echoes."""

    def __init__(self, name: str = "backend", wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain) -> None:
        """`wrap` makes TLS of a connection, or raises OSError."""
        self.name = name
        self._wrap = wrap
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(DEADLINE)
        with contextlib.suppress(OSError), self._wrap(plain) as connection:
            connection.sendall(f"{self.name}\n".encode())
            while data := connection.recv(65536):
                connection.sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection to a port that may be opened only in a moment."""
    place = "127.0.0.1", port
    with eventually(lambda: socket.create_connection(place, DEADLINE), "a port", ignoring=OSError) as connection:
        yield connection


def ask(port: int) -> str:
    """The name of the backend that one gets at a port; "" if it hangs up."""
    with connected(port) as connection, contextlib.suppress(ConnectionError):
        return line(connection)
    return ""


def line(connection: socket.socket) -> str:
    """What comes up to the end of a line."""
    with connection.makefile("rb", buffering=0) as reader:
        return reader.readline().decode().strip()


def need(engine: str) -> None:
    """Skip the test where there is no such engine."""
    if engine == "haproxy" and not shutil.which("haproxy"):
        pytest.skip("haproxy is not installed")
