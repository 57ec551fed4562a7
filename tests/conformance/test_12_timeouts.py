"""Each timeout of a router, hit once (12). Those of draining, NATS and signatures are with what they end."""

import socket
import threading
import time

import pytest

from .conftest import DEADLINE, Router, until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def quick(shared_nats, tmp_path_factory):
    """A router whose timeouts are short."""
    settings = {
        "read_header_timeout": "200ms",
        "frontend_idle_timeout": "300ms",
        "endpoint_timeout": "400ms",
        "endpoint_dial_timeout": "200ms",
        "tls_handshake_timeout": "200ms",
        "droplet_stale_threshold": "2s",
        "start_response_delay_interval": "0s",
        "prune_stale_droplets_interval": "200ms",
        "backends": {"max_attempts": 2},
    }
    router = Router(tmp_path_factory.mktemp("quick"), shared_nats, settings)
    yield router
    assert router.stop() == 0


def closed_after(connection):
    """What still came, and the seconds until the router closed."""
    began = time.monotonic()
    came = b""
    while piece := connection.recv(65536):
        came += piece
    return came, time.monotonic() - began


@pytest.mark.statement("12", "A client that takes longer than read_header_timeout for its head gets 400 or is hung up on")
def test_request_head(quick):
    with quick.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x")
        came, seconds = closed_after(client)
    assert came == b"" or came.startswith(b"HTTP/1.1 40")
    assert 0.1 < seconds < 2


@pytest.mark.statement("12", "A connection that waits longer than frontend_idle_timeout for its next request is closed")
def test_idle_client(quick, backend):
    quick.register("idle12.test", backend())
    with quick.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: idle12.test\r\n\r\n")
        assert client.recv(65536).endswith(b"ok")
        came, seconds = closed_after(client)
    assert came == b""
    assert 0.1 < seconds < 2


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
    assert 0.1 < time.monotonic() - began < 3


@pytest.mark.statement("12", "A backend whose TLS handshake takes longer than tls_handshake_timeout is a 502")
def test_handshake(quick, backend):
    silent = backend(lambda connection: threading.Event().wait(1))
    quick.register("tls12.test", silent, tls_port=silent.port, server_cert_domain_san="x")
    answer = quick.get("tls12.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (net/http: TLS handshake timeout)")


@pytest.mark.statement("12", "A backend that takes longer than endpoint_timeout for its response head is a 502, and is logged")
@pytest.mark.statement("12", "A response that takes longer than endpoint_timeout is cut")
def test_request(quick, backend):
    quick.register("slow12.test", backend(lambda connection: threading.Event().wait(1)))
    answer = quick.get("slow12.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (context deadline exceeded)")
    until(lambda: quick.log("backend-request-timeout"), "the line of the timeout")

    def half(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        threading.Event().wait(1)

    quick.register("half12.test", backend(half))
    answer = quick.get("half12.test")
    assert (answer.status, answer.body) == (200, b"half")


@pytest.mark.statement("12", "A backend has 1 s to ask for the body of a request that expects 100; then it is sent anyway")
def test_expectation(shared_router, backend):
    seen = []

    def respond(connection):
        seen.append(connection.recv(65536))
        seen.append(connection.recv(65536))
        connection.sendall(OK)

    shared_router.register("expect12.test", backend(respond))
    with shared_router.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: expect12.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        began = time.monotonic()
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert 0.8 < time.monotonic() - began < 3
        client.sendall(b"body")
        assert b" 200 OK\r\n" in client.recv(65536)
    assert b"\r\nExpect: 100-continue\r\n" in seen[0]
    assert seen[1] == b"body"


@pytest.mark.statement("12", "An endpoint that was not refreshed for droplet_stale_threshold is pruned, at the next cycle")
def test_stale_endpoints(quick, backend):
    quick.register("stale12.test", backend())
    began = time.monotonic()
    until(lambda: "stale12.test" not in quick.routes(), "the end of the route")
    assert 1.0 < time.monotonic() - began < 4


@pytest.mark.statement("12", "An endpoint that failed is chosen again after a quarter of droplet_stale_threshold")
def test_failed_endpoints(quick, backend):
    alive, dead = backend(), backend()
    dead.close()
    for port in (alive.port, dead.port):
        quick.nats.publish("router.register", {"host": "127.0.0.1", "port": port, "uris": ["marked12.test"]})
    until(lambda: len(quick.routes().get("marked12.test", ())) == 2, "both endpoints")
    told = lambda: len([d for d in quick.log("backend-endpoint-failed") if str(dead.port) in str(d)])  # noqa: E731
    until(lambda: quick.get("marked12.test").status == 200 and told(), "a failed attempt")
    marked = told()
    for _ in range(6):
        assert quick.get("marked12.test").status == 200
    assert told() == marked
    until(lambda: quick.get("marked12.test").status == 200 and told() > marked, "another attempt")


@pytest.mark.statement("12", "A WebSocket has no timeout once it is upgraded")
def test_upgraded(quick, backend):
    def respond(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        threading.Event().wait(0.8)  # longer than all timeouts of that router
        connection.sendall(b"late")
        connection.recv(10)

    quick.register("ws12.test", backend(respond))
    with quick.connect() as client:
        client.settimeout(DEADLINE)
        client.sendall(b"GET / HTTP/1.1\r\nHost: ws12.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        raw = client.recv(65536)
        while not raw.endswith(b"late"):
            raw += client.recv(65536)
    assert raw.startswith(b"HTTP/1.1 101 ")
