"""Serves a folder over HTTP: what the droplet of a static site runs.

It goes into the droplet as it is, so it needs nothing but Python:

    PORT=8080 python3 static_server.py [--push-state] [FOLDER]
"""

import argparse
import os
import signal
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HIDDEN = {"Staticfile", "Procfile", "manifest.yml", "manifest.yaml"}


class Handler(SimpleHTTPRequestHandler):
    """GET and HEAD of the folder's files; dot files and the files that describe the app are not shown."""

    protocol_version = "HTTP/1.1"
    server_version = "static"
    timeout = 90  # s, as long as Gorouter keeps an idle connection

    def __init__(self, *args: Any, push_state: bool = False, **kwargs: Any) -> None:
        self._push_state = push_state
        super().__init__(*args, **kwargs)

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
    server = ThreadingHTTPServer(address, handler)
    server.daemon_threads = False  # requests that run are answered before the process ends
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(f"serving {folder} on port {server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
