"""Relays of TCP connections as contenders: what leads to them is the same load, and they do not know that it is HTTP.

cfroute's is the TCP router as upstream starts it, with its embedded engine; its one route comes from a Routing API of ours.
"""

import http.client
import json
import resource
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from . import procfs
from .contenders import Contender, url
from .machine import BenchError, Machine, NotInstalledError, Role, accepts, program, version

CONNECTIONS = 5000  # that are open at the same time when memory is looked at
MEGABYTE = 1_000_000
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

NGINX = """
load_module {module};
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/nginx-tcp.pid;
error_log {folder}/nginx-tcp.err;
events {{ worker_connections 16000; }}
stream {{
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    proxy_pass 127.0.0.1:{backend};
  }}
}}
"""

# The defaults are those of a deployed TCP router.
HAPROXY = """
global
  nbthread 1
  maxconn 8000
defaults
  mode tcp
  timeout connect 30000ms
  timeout client 300000ms
  timeout server 300000ms
frontend bench
  bind 127.0.0.1:{port} backlog 4096
  default_backend apps
backend apps
  server app 127.0.0.1:{backend}
"""


@dataclass(frozen=True)
class Footprint:
    """What a relay holds in megabytes (PSS): before the first connection, and with CONNECTIONS that are open."""

    empty_mb: float
    full_mb: float


def nginx(machine: Machine, port: int, backend: int) -> Contender:
    """nginx's stream module with one worker."""
    binary = program("nginx")
    if not STREAM_MODULE.exists():
        raise NotInstalledError("nginx's stream module is not installed")
    configuration = machine.folder / "nginx-tcp.conf"
    configuration.write_text(NGINX.format(module=STREAM_MODULE, folder=machine.folder, port=port, backend=backend))
    command = [binary, "-p", str(machine.folder), "-c", str(configuration)]
    process = machine.start("nginx-tcp", command, Role.PROXY, ready=lambda: accepts(port))
    return Contender("nginx", url(port), process.pid, version([binary, "-v"]))


def haproxy(machine: Machine, port: int, backend: int) -> Contender:
    """HAProxy in mode tcp with one thread."""
    binary = program("haproxy")
    configuration = machine.folder / "haproxy-tcp.cfg"
    configuration.write_text(HAPROXY.format(port=port, backend=backend))
    process = machine.start("haproxy-tcp", [binary, "-f", str(configuration)], Role.PROXY, ready=lambda: accepts(port))
    return Contender("haproxy", url(port), process.pid, version([binary, "-v"]))


PEERS: dict[str, Callable[[Machine, int, int], Contender]] = {"nginx": nginx, "haproxy": haproxy}


def cfroute(machine: Machine, command: Sequence[str], ports: Iterator[int], backend: int) -> Contender:
    """`cfroute tcp-router` in one process."""
    port = next(ports)
    route = {"router_group_guid": "bench", "port": port, "backend_ip": "127.0.0.1", "backend_port": backend, "ttl": 3600}
    file = machine.folder / "tcp_router.yml"
    api = {"uri": "http://127.0.0.1", "port": _routing_api(route), "auth_disabled": True}
    file.write_text(json.dumps({"routing_api": api, "cfroute": {"address": "127.0.0.1"}}))
    started = [*command, "tcp-router", "-config", str(file), "-dropsondePort", "1"]
    process = machine.start("tcp-router", started, Role.PROXY, ready=lambda: accepts(port))
    return Contender("cfroute", url(port), process.pid, version([*command, "--version"]))


def _routing_api(route: Mapping[str, object]) -> int:
    """A Routing API that knows one route; returns its port. It ends with this process."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.endswith("/events"):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream; charset=utf-8")
                self.end_headers()
                self.wfile.flush()
                threading.Event().wait()  # nothing ever happens
            body = json.dumps([route] if self.path.endswith("/tcp_routes") else []).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def check(contender: Contender) -> None:
    """See that a contender relays, and that it does not touch what it relays. Raises BenchError."""
    connection = http.client.HTTPConnection(contender.url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/seen")
        response = connection.getresponse()
        status, body = response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"{contender.name} does not relay: {error}") from error
    finally:
        connection.close()
    if status != 200 or body.strip() != b"1":
        raise BenchError(f"{contender.name} is no relay: {status} {body!r}")


def weigh(contender: Contender) -> Footprint:
    """Open CONNECTIONS, each with a request on it, and see what the relay holds then. Raises BenchError."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    empty = _held(contender)
    address, clients = ("127.0.0.1", int(contender.url.rpartition(":")[2])), []
    try:
        for _ in range(CONNECTIONS):
            client = socket.create_connection(address, timeout=10)
            clients.append(client)
            client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
            if not client.recv(65536).startswith(b"HTTP/1.1 200"):
                raise BenchError(f"{contender.name} gives up after {len(clients)} connections")
        return Footprint(empty, _held(contender))
    except OSError as error:
        raise BenchError(f"{contender.name} fails after {len(clients)} connections: {error}") from error
    finally:
        for client in clients:
            client.close()


def _held(contender: Contender) -> float:
    held = procfs.memory(procfs.session(contender.session)) if contender.session is not None else None
    if held is None:
        raise BenchError("memory can only be looked at on Linux")
    return held / MEGABYTE
