"""A threaded HTTP server for apps: requests to a broker, and requests that are handed on."""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cfroute_broker.osbapi import Answer, Body, Broker, Request

PIECE = 64 * 1024  # bytes of a body that are read at a time
LARGEST = 1024 * 1024  # bytes of a body that is read whole
IDLE = 120.0  # s after which an idle connection is closed: longer than Gorouter keeps one


def say(text: str) -> None:
    """Write one line of log, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive; a subclass has `handle_request`, which gets every request."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait for the first to be acknowledged
    unread = False
    """Whether the request has a body that is still to be read."""

    def handle_request(self) -> None:
        """Answer one request."""
        raise AssertionError("a subclass answers")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # http.server looks for one method a verb
            return self._one
        raise AttributeError(name)

    def _one(self) -> None:
        self.unread = self.chunked or self.headers.get("Content-Length", "0") != "0"
        try:
            self.handle_request()
        except ConnectionError:
            self.close_connection = True
        self.close_connection |= self.unread  # what was not read would be taken for the next request

    @property
    def chunked(self) -> bool:
        """Whether the length of the body is not known before its end."""
        return "chunked" in self.headers.get("Transfer-Encoding", "").lower()

    def answer(self, status: int, body: bytes = b"", kind: str = "text/plain; charset=utf-8", **headers: str) -> None:
        """Send a whole response."""
        self.send_response(status)
        if body:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.unread:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, answer: Answer) -> None:
        """Send what a broker answers."""
        self.answer(answer.status, json.dumps(answer.body).encode(), "application/json")

    def to_broker(self) -> Request | None:
        """The request as a broker takes it; None, and answered, where its body is too long."""
        body = b""
        for piece in self.pieces():
            body += piece
            if len(body) > LARGEST:
                self.unread = True
                self.answer_json(Answer(413, {"description": "The body is too long."}))
                return None
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, url.path, headers, dict(parse_qsl(url.query)), body)

    def pieces(self) -> Iterator[bytes]:
        """The body of the request as it comes. Raises ConnectionError when it is not one, or ends too early."""
        try:
            if self.chunked:
                while size := int(self.rfile.readline(100).split(b";")[0], 16):
                    yield from self._exactly(size)
                    self.rfile.readline(100)
                while self.rfile.readline(PIECE).strip():
                    pass  # trailers
            else:
                yield from self._exactly(int(self.headers.get("Content-Length") or 0))
        except ValueError as error:
            raise ConnectionError("the body has no length") from error
        self.unread = False

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left > 0:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                raise ConnectionError("the body ended too early")
            left -= len(piece)
            yield piece

    def version_string(self) -> str:
        """What answers of our own say in Server."""
        return "cfroute-broker"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: a service says itself what is worth saying."""


class Server(ThreadingHTTPServer):
    """Ends when it is asked to, whatever connections are open."""

    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of ours; anything else is told in one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            say(f"error while answering {client_address[0]}: {type(error).__name__}: {error}")


def serve(*servers: Server) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        host, port = server.server_address[:2]
        say(f"listening on {host!s}:{port}")
    ended.wait()
    for server in servers:
        server.shutdown()
        server.server_close()


def server(handle: Callable[[Handler], None], port: int) -> Server:
    """A server that gives every request to `handle`; on loopback, or where a cell tells an app to listen.

    `port` 0 takes a free one. Raises OSError.
    """

    class Given(Handler):
        """One connection."""

        def handle_request(self) -> None:
            handle(self)

    return Server((os.environ.get("CF_INSTANCE_INTERNAL_IP", "127.0.0.1"), port), Given)


class Keeper:
    """Keeps a broker's state in a file, or nowhere without one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def save(self, state: Body) -> None:
        """Replace the file in one step. Raises OSError."""
        if self._file is not None:
            new = self._file.with_name(f"{self._file.name}.new")
            new.write_text(json.dumps(state))
            new.replace(self._file)

    def load(self) -> Body:
        """What was saved last; empty where nothing was. Raises OSError, and ValueError for a damaged file."""
        if self._file is None or not self._file.exists():
            return {}
        state = json.loads(self._file.read_text())
        if not isinstance(state, dict):
            raise ValueError(f"{self._file} is no state of a broker")
        return state


def locked(broker: Broker) -> Callable[[Request], Answer]:
    """`broker.answer` for several threads: one after the other."""
    lock = threading.Lock()

    def answer(request: Request) -> Answer:
        with lock:
            return broker.answer(request)

    return answer


def close(connection: socket.socket) -> None:
    """Wake up whoever reads from a connection."""
    with contextlib.suppress(OSError):  # it is gone already
        connection.shutdown(socket.SHUT_RDWR)
