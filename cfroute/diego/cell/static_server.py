"""Serves a folder over HTTP: what the droplet of a static site runs.

It goes into the droplet as it is, so it needs nothing but Python:

    PORT=8080 python3 static_server.py [--push-state] [FOLDER]
"""

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HIDDEN = {"Staticfile", "Procfile", "manifest.yml", "manifest.yaml"}


class Server(ThreadingHTTPServer):
    """Ends as an app should: what has been begun is answered, and idle connections are not waited for."""

    daemon_threads = False

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        super().__init__(address, handler)
        self.ending = False
        self._idle: set[socket.socket] = set()
        self._lock = threading.Lock()

    def end(self, *_: object) -> None:
        """Begin to end; returns at once, as a signal handler has to."""
        self.ending = True
        threading.Thread(target=self.shutdown).start()

    def idles(self, connection: socket.socket) -> None:
        """The connection waits for a request."""
        with self._lock:
            self._idle.add(connection)
        if self.ending:
            self.close_idle()

    def works(self, connection: socket.socket) -> None:
        """The connection has one, or is gone."""
        with self._lock:
            self._idle.discard(connection)

    def close_idle(self) -> None:
        """Have the connections that wait for a request find that there will be none."""
        with self._lock:
            for connection in self._idle:
                with contextlib.suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RD)


class Handler(SimpleHTTPRequestHandler):
    """GET and HEAD of the folder's files; dot files and the files that describe the app are not shown."""

    protocol_version = "HTTP/1.1"
    server_version = "static"
    timeout = 120  # s, longer than Gorouter keeps an idle connection
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait for the first to be acknowledged
    server: Server

    def __init__(self, *args: Any, push_state: bool = False, **kwargs: Any) -> None:
        self._push_state = push_state
        super().__init__(*args, **kwargs)

    def handle_one_request(self) -> None:
        """Wait for a request as an idle connection, answer it as a busy one."""
        self.server.idles(self.connection)
        try:
            super().handle_one_request()
        finally:
            self.server.works(self.connection)

    def parse_request(self) -> bool:
        """Nobody reads a request's body here; for not to be taken for the next request, it has to be the last."""
        self.server.works(self.connection)
        parsed = super().parse_request()
        has_body = parsed and ("Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0")
        self.close_connection = self.close_connection or has_body or self.server.ending
        return parsed

    def end_headers(self) -> None:
        """Say when this is the last response."""
        if self.close_connection:
            self.send_header("Connection", "close")
        super().end_headers()

    def send_head(self) -> Any:
        """Answer with the file, the page for the folder, or, with --push-state, the app's page for every route."""
        path = Path(self.translate_path(self.path))
        shown = path.relative_to(self.directory).parts
        if any(part.startswith(".") or part in HIDDEN for part in shown):
            self.send_error(404)
            return None
        if self._push_state and not path.exists():
            self.path = "/index.html"
        return super().send_head()

    def list_directory(self, path: Any) -> Any:
        """A folder without a page is not shown."""
        self.send_error(403)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        sys.stdout.write(f"{self.address_string()} - {format % args}\n")
        sys.stdout.flush()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--push-state", action="store_true")
    parser.add_argument("folder", nargs="?", default=".")
    options = parser.parse_args()
    folder = str(Path(options.folder).resolve())
    handler = partial(Handler, directory=folder, push_state=options.push_state)
    address = os.environ.get("CF_INSTANCE_INTERNAL_IP", "127.0.0.1"), int(os.environ.get("PORT", "8080"))
    server = Server(address, handler)
    signal.signal(signal.SIGTERM, server.end)
    sys.stdout.write(f"serving {folder} on port {server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    server.close_idle()
    server.server_close()


if __name__ == "__main__":
    main()
