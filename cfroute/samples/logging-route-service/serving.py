"""A threaded HTTP server that ends as an app in Cloud Foundry should.

On SIGTERM it takes no new connections, closes the idle ones, answers what it has begun to answer, and exits with 0.
"""

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = 1 << 16  # bytes of a body that are read at a time
IDLE = 120  # s after which an idle connection is closed: longer than Gorouter keeps one


def say(text: str) -> None:
    """Write one line of log, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Server(ThreadingHTTPServer):
    """Knows its connections, and which of them are being answered."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, handler: type["Handler"]) -> None:
        super().__init__((os.environ.get("CF_INSTANCE_INTERNAL_IP", "127.0.0.1"), int(os.environ.get("PORT", "8080"))), handler)
        self.ending = False
        self.lock = threading.Lock()
        self.idle: set[socket.socket] = set()

    def end(self, *_: Any) -> None:
        """Begin to end; returns at once, as a signal handler has to."""
        self.ending = True
        threading.Thread(target=self.shutdown).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of ours; anything else is told in one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            say(f"error while answering {client_address[0]}: {type(error).__name__}: {error}")

    def may_end(self, connection: socket.socket) -> None:
        """A connection without end (a WebSocket) is not waited for."""
        with self.lock:
            self.idle.add(connection)

    def close_idle(self) -> None:
        """Let go of the connections that wait for a request."""
        with self.lock:
            for connection in self.idle:
                try:
                    connection.shutdown(socket.SHUT_RD)
                except OSError:
                    continue  # the client was faster


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive; a subclass adds do_GET and so on."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait for the first to be acknowledged
    server: Server
    unread = False
    """Whether the request has a body that is still to be read."""

    def handle_one_request(self) -> None:
        """Wait for a request as an idle connection, answer it as a busy one."""
        with self.server.lock:
            self.server.idle.add(self.connection)
        if self.server.ending:
            self.server.close_idle()
        try:
            super().handle_one_request()
        finally:
            with self.server.lock:
                self.server.idle.discard(self.connection)
        self.close_connection = self.close_connection or self.server.ending

    def parse_request(self) -> bool:
        """From here on the connection is busy."""
        with self.server.lock:
            self.server.idle.discard(self.connection)
        self.unread = False
        parsed = super().parse_request()
        self.unread = parsed and (self._is_chunked() or self.headers.get("Content-Length", "0") != "0")
        return parsed

    def end_headers(self) -> None:
        """A body that was not read would be taken for the next request: then there is none."""
        if self.unread:
            self.close_connection = True
            self.send_header("Connection", "close")
        super().end_headers()

    def answer(self, status: int, body: bytes = b"", kind: str = "text/plain; charset=utf-8", **headers: str) -> None:
        """Send a whole response; underscores in header names stand for dashes."""
        self.send_response(status)
        if body or status not in (204, 304):
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.server.ending:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        """The whole body of the request."""
        return b"".join(self.pieces())

    def skip_body(self) -> None:
        """Read the body, and forget it."""
        for _ in self.pieces():
            pass

    def pieces(self) -> Iterator[bytes]:
        """The body of the request as it comes, chunked or not."""
        if self._is_chunked():
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield from self._exactly(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
        else:
            yield from self._exactly(int(self.headers.get("Content-Length") or 0))
        self.unread = False

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left > 0:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                raise ConnectionError("unexpected EOF")
            left -= len(piece)
            yield piece

    def _is_chunked(self) -> bool:
        return "chunked" in self.headers.get("Transfer-Encoding", "").lower()

    def version_string(self) -> str:
        return "cfroute-sample"

    def log_message(self, format: str, *args: Any) -> None:
        say(f"{self.client_address[0]} {format % args}")


def serve(handler: type[Handler]) -> None:
    """Serve on $PORT until SIGTERM or SIGINT."""
    server = Server(handler)
    signal.signal(signal.SIGTERM, server.end)
    signal.signal(signal.SIGINT, server.end)
    say(f"listening on port {server.server_address[1]}")
    server.serve_forever(poll_interval=0.1)
    while select.select([server], [], [], 0)[0]:
        server.handle_request()  # it came before the end
    server.close_idle()
    server.server_close()
    say("ended")
