"""How many requests an endpoint gets at once (section 3.8)."""

import contextlib
import socket
import threading

import pytest

from ..waiting import eventually
from .routing import asked, named, register


@pytest.fixture
def router(start):
    return start(backends={"max_conns": 1})


class Held:
    """An app that reads a request, writes what it is told, and then waits until it is released."""

    def __init__(self, backend, first=b""):
        self._first = first
        self.arrived = threading.Semaphore(0)
        self.released = threading.Event()
        self.app = backend(self._respond)

    def _respond(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(self._first)
        self.arrived.release()
        self.released.wait(30)
        with contextlib.suppress(OSError):
            connection.sendall(b"" if self._first else b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nheld")

    @contextlib.contextmanager
    def busy(self, router, host, *headers):
        """A request under way."""
        with router.connect() as client:
            lines = [f"GET / HTTP/1.1\r\nHost: {host}", *headers]
            client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
            assert self.arrived.acquire(timeout=30)
            if self._first:
                assert client.recv(65536)
            yield
            self.released.set()


@pytest.mark.statement("3.8", "an endpoint at the limit is passed over; when all are, the answer is 503")
@pytest.mark.statement("5.2", "least connection passes over endpoints at the limit, too")
@pytest.mark.parametrize("algorithm", ["round-robin", "least-connection"])
def test_the_limit(router, backend, algorithm):
    held, (free,) = Held(backend), named(backend, "free")
    options = {"loadbalancing": algorithm}
    register(router, held.app, "l38.test", options=options)
    with held.busy(router, "l38.test"):
        answer = router.get("l38.test")
        assert (answer.status, answer["X-Cf-Routererror"]) == (503, "Connection Limit Reached")
        register(router, free, "l38.test", options=options)
        assert [asked(router, "l38.test") for _ in range(4)] == ["free"] * 4


@pytest.mark.statement("3.8", "routes of one registration share the count")
@pytest.mark.statement("3.4", "a replaced endpoint starts with fresh counters")
def test_what_counts_together(router, backend):
    held = Held(backend)
    register(router, held.app, "one38.test", "two38.test")
    with held.busy(router, "one38.test"):
        assert asked(router, "two38.test") == "503"
        register(router, held.app, "two38.test", private_instance_id="new")
        held.released.set()
        assert asked(router, "two38.test") == "held"


@pytest.mark.statement("3.8", "a websocket stops counting at its 101, a download after the headers")
@pytest.mark.parametrize(
    ("first", "headers"),
    [
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            ["Connection: Upgrade", "Upgrade: websocket"],
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nx", []),
    ],
)
def test_what_does_not_count_any_more(router, backend, first, headers):
    held = Held(backend, first)
    register(router, held.app, "w38.test")
    with held.busy(router, "w38.test", *headers), held.busy(router, "w38.test", *headers):
        eventually(lambda: True, "both are there at once")
