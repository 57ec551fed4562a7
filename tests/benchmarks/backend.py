"""The backend behind every contender: nginx answering from memory, or this module where nginx is missing.

/        200, a small static body
/10m     200, a body of 10 MB
/seen    200, "<X-Forwarded-For> <number of this request on its connection>": shows what a contender sends
"""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import cast

import uvloop

from .machine import Machine, NotInstalledError, Role, accepts, program, version

SMALL = b"ok: a small body, as of a health check or of a short API answer\n"
LARGE = 10_000_000

NGINX = """
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/backend.pid;
error_log {folder}/backend.err;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/backend-body;
  proxy_temp_path {folder}/backend-proxy;
  fastcgi_temp_path {folder}/backend-fastcgi;
  uwsgi_temp_path {folder}/backend-uwsgi;
  scgi_temp_path {folder}/backend-scgi;
  default_type text/plain;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {folder};
    location = / {{ return 200 "{small}"; }}
    location = /seen {{ return 200 "$http_x_forwarded_for $connection_requests"; }}
    location = /10m {{ try_files /large =404; }}
  }}
}}
"""


def start(machine: Machine, port: int) -> tuple["subprocess.Popen[bytes]", str]:
    """Start the backend on the port; returns its process and what it is."""
    try:
        command, what = _nginx(machine.folder, port)
    except NotInstalledError:
        command, what = [sys.executable, "-m", __name__, str(port)], "Python (nginx is not installed)"
    process = machine.start("backend", command, Role.BACKEND, ready=lambda: accepts(port))
    return process, what


def _nginx(folder: Path, port: int) -> tuple[list[str], str]:
    nginx = program("nginx")
    (folder / "large").write_bytes(bytes(LARGE))
    text = NGINX.format(folder=folder, port=port, small=SMALL.decode().replace("\n", "\\n"))
    configuration = folder / "backend.conf"
    configuration.write_text(text)
    return [nginx, "-p", str(folder), "-c", str(configuration)], version([nginx, "-v"])


class Backend(asyncio.Protocol):
    """Answers GET requests without a body; just enough HTTP for a load generator behind a proxy."""

    def __init__(self) -> None:
        self._received = b""
        self._requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *heads, self._received = (self._received + data).split(b"\r\n\r\n")
        for head in heads:
            self._requests += 1
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        path = head.split(b" ", 2)[1]
        if path == b"/10m":
            return _response(bytes(LARGE))
        if path == b"/seen":
            forwarded = re.search(rb"(?i)\r\nx-forwarded-for: *([^\r]*)", head)
            return _response(b"%s %d" % (forwarded[1] if forwarded else b"", self._requests))
        return _response(SMALL)


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Backend, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
