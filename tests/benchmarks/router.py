"""`cfroute gorouter` as a contender: configured as upstream's Gorouter is, and fed through NATS."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import procfs, registrations
from .contenders import Contender, identity, secure_url, url
from .machine import Machine, Role, until, version

TAKEN_IN_WITHIN = 60.0
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Intake:
    """How a router took its registrations in."""

    routes: int
    seconds: float
    memory_mb: float | None
    empty_memory_mb: float | None


def start(
    machine: Machine, cfroute: Sequence[str], name: str, ports: Iterator[int], backend: int, routes: range
) -> tuple[Contender, Intake]:
    """Start a router with one worker and a nats-server for it, and register the routes."""
    bus, port, status = next(ports), next(ports), next(ports)
    registrations.serve(machine, bus)
    file = machine.folder / f"{name}.yml"
    settings = configuration(port, status, bus, ports, machine.folder / f"{name}.log")
    secure, pair = next(ports), identity(machine).read_text()
    file.write_text(json.dumps({**settings, **tls(secure, pair)}))
    command = [*cfroute, "gorouter", "-c", str(file)]
    process = machine.start(name, command, Role.PROXY, ready=lambda: _status(status, "/health") == 200)
    empty = procfs.memory(procfs.session(process.pid))
    seconds = _take_in(bus, port, backend, routes)
    full = procfs.memory(procfs.session(process.pid))
    contender = Contender(name, url(port), process.pid, version([*cfroute, "--version"]), secure_url(secure))
    return contender, Intake(len(routes), seconds, _megabytes(full), _megabytes(empty))


def configuration(port: int, status: int, bus: int, ports: Iterator[int], log: Path) -> dict[str, object]:
    """A gorouter.yml (JSON is YAML) as a deployment has it, with one worker."""
    return {
        "port": port,
        "status": {"port": status, "user": "bench", "pass": "bench", "routes": {"port": next(ports)}},
        "nats": {
            "hosts": [{"hostname": "127.0.0.1", "port": bus}],
            "user": registrations.USER,
            "pass": registrations.PASSWORD,
        },
        "go_max_procs": 1,
        "logging": {"level": "info"},
        "access_log": {"file": str(log)},
        "disable_keep_alives": False,
        "max_idle_conns": 100,
        "max_idle_conns_per_host": 100,
        "backends": {"max_conns": 500, "max_attempts": 3},
        "droplet_stale_threshold": "3600s",
        "start_response_delay_interval": "20s",
        "route_services_internal_server_port": next(ports),
        "cfroute": {"address": "127.0.0.1", "start_delay": "0s"},
    }


def tls(port: int, identity: str) -> dict[str, object]:
    """The keys for the TLS listener; `identity` is certificate and key as text."""
    return {
        "enable_ssl": True,
        "ssl_port": port,
        "tls_pem": [{"cert_chain": identity, "private_key": identity}],
        "cipher_suites": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "max_tls_version": "TLSv1.3",
        "client_cert_validation": "none",
    }


def _take_in(bus: int, port: int, backend: int, routes: range) -> float:
    """Seconds from the first publication until the last route, and so every one, is routed."""
    chunks = registrations.publications(backend, routes)
    began = time.monotonic()
    registrations.publish(bus, chunks)
    last = registrations.host(routes[-1])
    until(lambda: _status(port, "/", last) == 200, TAKEN_IN_WITHIN, f"{last} is not routed")
    return time.monotonic() - began


def _status(port: int, path: str, host: str = "127.0.0.1") -> int | None:
    """The status of an answer, or None when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _megabytes(size: int | None) -> float | None:
    return None if size is None else size / MEGABYTE
