"""A nats-server of the benchmark's own, and the registrations that a route emitter would publish on it."""

import json
import re
import socket

from .machine import BenchError, Machine, Role, accepts, program

ROUTES = 100_000
USER, PASSWORD = "nats", "bench"
CHUNK = 500  # messages a write: few system calls, and no burst that a server would call a slow consumer


def serve(machine: Machine, port: int) -> None:
    """Start a nats-server on the loopback port."""
    command = [program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "--user", USER, "--pass", PASSWORD]
    machine.start(f"nats-{port}", command, Role.LOAD, ready=lambda: accepts(port))


def publications(backend: int, routes: range) -> list[bytes]:
    """One registration for each route, as NATS takes them, in chunks to be written at once."""
    return [
        b"".join(_publication(route, backend) for route in routes[first : first + CHUNK])
        for first in range(0, len(routes), CHUNK)
    ]


def _publication(route: int, backend: int) -> bytes:
    payload = json.dumps(registration(route, backend)).encode()
    return b"PUB router.register %d\r\n%s\r\n" % (len(payload), payload)


def publish(bus: int, chunks: list[bytes]) -> None:
    """Send the registrations and return when the server has them all. Raises BenchError."""
    with socket.create_connection(("127.0.0.1", bus), timeout=30) as connection:
        answers = connection.makefile("rb")
        answers.readline()  # INFO
        connect = {"user": USER, "pass": PASSWORD, "verbose": False, "pedantic": False}
        connection.sendall(b"CONNECT %s\r\n" % json.dumps(connect).encode())
        for chunk in chunks:
            connection.sendall(chunk)
        connection.sendall(b"PING\r\n")
        while (answer := answers.readline()) not in (b"PONG\r\n", b""):
            if answer.startswith(b"-ERR"):
                raise BenchError(f"nats-server refused: {answer.decode().strip()}")


def host(route: int) -> str:
    """The host name of a route."""
    return f"r{route}.bench.local"


def registration(route: int, backend: int) -> dict[str, object]:
    """What the emitter says of one instance, but with no threshold: it must not go stale during the run."""
    app = re.sub(r"(.{8})(.{4})(.{4})(.{4})", r"\1-\2-\3-\4-", f"{route:032x}")
    return {
        "host": "127.0.0.1",
        "port": backend,
        "uris": [host(route)],
        "app": app,
        "private_instance_id": f"{app}-0",
        "private_instance_index": "0",
        "tags": {"component": "route-emitter", "process_id": app, "source_id": app, "instance_id": "0"},
        "availability_zone": "z1",
        "endpoint_updated_at_ns": 0,
    }
