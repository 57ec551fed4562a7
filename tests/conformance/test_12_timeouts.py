"""Each timeout of a router, hit once (12). Those that end what has a section of its own are held there."""

import socket
import threading
import time
from pathlib import Path

import pytest

from ..waiting import eventually
from .conftest import DEADLINE, Router


@pytest.fixture(scope="module")
def quick(shared_nats, tmp_path_factory):
    """A router whose timeouts are short."""
    settings = {
        "read_header_timeout": "400ms",
        "frontend_idle_timeout": "600ms",
        "endpoint_timeout": "1s",
        "endpoint_dial_timeout": "400ms",
        "tls_handshake_timeout": "400ms",
        "backends": {"max_attempts": 2},
    }
    router = Router(tmp_path_factory.mktemp("quick"), shared_nats, settings)
    yield router
    assert router.stop() == 0


def rest(connection):
    """What still comes until the router closes."""
    came = b""
    while piece := connection.recv(65536):
        came += piece
    return came


@pytest.mark.statement("12", "A client that takes longer than read_header_timeout for its head gets 400 or is hung up on")
def test_request_head(quick):
    began = time.monotonic()
    with quick.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x")
        came = rest(client)
    assert came == b"" or came.startswith(b"HTTP/1.1 40")
    assert time.monotonic() - began >= 0.4


@pytest.mark.statement("12", "A connection that waits longer than frontend_idle_timeout for its next request is closed")
def test_idle_client(quick, backend):
    quick.register("idle12.test", backend())
    with quick.connect() as client:
        began = time.monotonic()
        client.sendall(b"GET / HTTP/1.1\r\nHost: idle12.test\r\n\r\n")
        assert client.recv(65536).endswith(b"ok")
        assert rest(client) == b""
    assert time.monotonic() - began >= 0.6


@pytest.mark.statement("12", "A backend that cannot be dialled within endpoint_dial_timeout is a 502")
def test_dial(quick):
    # A listener whose queue is full does not answer to a further connection.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        queued = [socket.socket() for _ in range(4)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        quick.register("dial12.test", port)
        began = time.monotonic()
        answer = quick.get("dial12.test")
        for one in queued:
            one.close()
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, f"endpoint_failure (dial tcp 127.0.0.1:{port}: i/o timeout)")
    assert 0.4 <= time.monotonic() - began < 5, "that is the default"


@pytest.mark.statement("12", "A backend whose TLS handshake takes longer than tls_handshake_timeout is a 502")
def test_handshake(quick, backend):
    over = threading.Event()
    silent = backend(lambda connection: over.wait(DEADLINE))
    quick.register("tls12.test", silent, tls_port=silent.port, server_cert_domain_san="x")
    answer = quick.get("tls12.test")
    over.set()
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (net/http: TLS handshake timeout)")


@pytest.mark.statement("E", "23: a WebSocket outlives endpoint_timeout; its access line comes at the end, with 101")
@pytest.mark.statement("12", "A WebSocket has no timeout once it is upgraded")
def test_upgraded(quick, backend):
    def respond(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        threading.Event().wait(1.5)  # longer than all timeouts of that router
        connection.sendall(b"late")
        connection.recv(10)

    quick.register("ws12.test", backend(respond))
    with quick.connect() as client:
        client.settimeout(DEADLINE)
        client.sendall(b"GET /ws HTTP/1.1\r\nHost: ws12.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        raw = client.recv(65536)
        while not raw.endswith(b"late"):
            raw += client.recv(65536)
        assert "ws12.test" not in quick.access_log.read_text()
    assert raw.startswith(b"HTTP/1.1 101 ")
    eventually(lambda: '"GET /ws HTTP/1.1" 101 0 0 ' in quick.access_log.read_text(), "the access line")


@pytest.mark.statement("4.9", "upgrades to other protocols than WebSocket are passed on, too, but end with endpoint_timeout")
def test_other_protocols(quick, backend):
    def respond(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
        connection.sendall(connection.recv(10))
        connection.recv(10)

    quick.register("chat12.test", backend(respond))
    with quick.connect() as client:
        began = time.monotonic()
        client.sendall(b"GET /chat HTTP/1.1\r\nHost: chat12.test\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
        client.sendall(b"hello")
        assert client.recv(65536) == b"hello"
        assert rest(client) == b""
    assert time.monotonic() - began >= 1
    eventually(lambda: '"GET /chat HTTP/1.1" 101 0 0 ' in quick.access_log.read_text(), "the access line")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux")
@pytest.mark.statement("12", "Backends are probed by TCP every endpoint_keep_alive_probe_interval")
def test_probes(quick, backend):
    quick.register("probed12.test", app := backend())
    assert quick.get("probed12.test").status == 200
    connections = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    timers = [timer for _, _, remote, state, _, timer, *_ in connections if (remote[-4:], state) == (f"{app.port:04X}", "01")]
    (timer,) = timers
    assert timer.startswith("02:")  # keep-alive
    assert int(timer[3:], 16) <= 100  # hundredths of a second
