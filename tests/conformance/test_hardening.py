"""Slow, greedy and broken peers: what they cost is bounded, and everybody else is served meanwhile."""

import contextlib
import os
import resource
import select
import socket
import ssl
import struct
import threading
import time
from pathlib import Path

import pytest
from h2.exceptions import ProtocolError
from hyperframe.frame import ContinuationFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from ..ports import free_port
from ..waiting import eventually
from .conftest import DEADLINE, OK, Backend, Router, read_request
from .metering import Authority
from .streams import Client

MEGABYTE = 1 << 20
HEAD_TIMEOUT = 0.8
CALM = 11  # ENHANCE_YOUR_CALM
LARGE = 64 * MEGABYTE


@pytest.fixture(scope="module")
def router(shared_nats, tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    chain, key = authority.files("localhost")
    port = free_port()
    settings = {
        "enable_ssl": True,
        "ssl_port": port,
        "tls_pem": [{"cert_chain": chain.read_text(), "private_key": key.read_text()}],
        "client_cert_validation": "none",
        "cipher_suites": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "max_tls_version": "TLSv1.3",
        "read_header_timeout": f"{int(HEAD_TIMEOUT * 1000)}ms",
        "backends": {"max_attempts": 2},
    }
    made = Router(tmp_path_factory.mktemp("hardened"), shared_nats, settings)
    made.tls_port = port
    others = Backend()
    made.register("others.hard.test", others)
    assert ask(made) == 200
    made.descriptors = descriptors(made)
    yield made
    others.close()
    assert made.stop() == 0
    assert "Traceback" not in made.output.read_text()
    assert not made.log("panic-check")


@pytest.fixture(autouse=True)
def others_are_served(router):
    """Whatever a test does, the router answers as before, and has closed what the test has left."""
    yield
    assert ask(router) == 200
    eventually(lambda: descriptors(router) <= router.descriptors + 4, "closed connections")


def ask(router, host="others.hard.test"):
    return router.get(host).status


def asked_within(router, seconds):
    began = time.monotonic()
    assert ask(router) == 200
    return time.monotonic() - began < seconds


def descriptors(router):
    return len(os.listdir(f"/proc/{router.process.pid}/fd"))


def memory(router):
    """Bytes that the process holds."""
    return int(Path(f"/proc/{router.process.pid}/statm").read_text().split()[1]) * 4096


def closed(connection):
    """What still comes, up to the end."""
    came = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(1 << 16):
            came += piece
    return came


def send_until_refused(connection, pieces):
    """Send as long as the other end takes it and does not answer; the bytes that were sent."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            if select.select([connection], [], [], 0)[0]:
                break
            connection.sendall(piece)
            sent += len(piece)
    return sent


def secured(router):
    """A connection over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(router.connect(router.tls_port))


def request(host, *lines, method="GET", target="/"):
    return "\r\n".join((f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", "")).encode("latin-1")


# Clients


def test_heads_that_never_end(router):
    """Slowloris: many connections, on which a byte comes now and then."""
    slow = [router.connect() for _ in range(50)]
    began = time.monotonic()
    for position, byte in enumerate(request("others.hard.test")[:20]):
        for one in slow:
            with contextlib.suppress(ConnectionError):
                one.send(bytes((byte,)))
        if position == 10:
            assert ask(router) == 200
    for one in slow:
        assert closed(one)[:12] in (b"", b"HTTP/1.1 400")
        one.close()
    assert time.monotonic() - began < HEAD_TIMEOUT + 1


def test_a_body_that_stalls_holds_up_nobody(router, backend):
    router.register("stall.hard.test", backend())
    with router.connect() as client:
        client.sendall(request("stall.hard.test", "Content-Length: 10", method="POST") + b"12345")
        assert [ask(router) for _ in range(10)] == [200] * 10
        client.sendall(b"67890")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("secure", [False, True])
def test_clients_that_do_not_read(router, backend, secure):
    """What is read from their backends is what the router's buffers hold, and not the whole response."""
    sent = []

    def respond(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
        connection.settimeout(0.3)
        count = 0
        with contextlib.suppress(OSError):
            while True:
                count += connection.send(bytes(1 << 18))
        sent.append(count)

    host = f"large{secure}.hard.test".lower()
    router.register(host, backend(respond))
    before = memory(router)
    with contextlib.ExitStack() as clients:
        for _ in range(many := 10 if secure else 20):
            client = clients.enter_context(secured(router) if secure else router.connect())
            client.sendall(request(host))
        eventually(lambda: len(sent) == many, "backends that cannot send any more")
        assert max(sent) < LARGE / 4
        assert memory(router) - before < 40 * MEGABYTE


def test_half_open_connections(router, backend):
    router.register("half.hard.test", backend(lambda connection: threading.Event().wait(0.3)))
    for data in (b"", b"GET / HT", request("half.hard.test"), request("half.hard.test", "Content-Length: 3", method="POST")):
        with router.connect() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            assert closed(client)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 502")


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"", b"x" * 65536),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X-Flood: y\r\n" * 5000),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"x" * 65536),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n", b" z\r\n" * 10_000),
    ],
    ids=["no line", "lines", "one line", "folded"],
)
def test_floods_of_headers(router, begin, piece):
    with router.connect() as client:
        client.sendall(begin)
        sent = send_until_refused(client, (piece for _ in range(1000)))
        assert sent < 16 * MEGABYTE
        assert closed(client)[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")


def test_ten_thousand_pipelined_requests(router):
    """Each is answered, in turn; who does not read the answers is not read from."""
    before = memory(router)
    with router.connect() as client:
        sending = threading.Thread(target=client.sendall, args=(request("nobody.hard.test") * 10_000,), daemon=True)
        sending.start()
        came, overlap = 0, b""
        while came < 10_000:
            data = overlap + client.recv(1 << 18)
            came += data.count(b"HTTP/1.1 404 Not Found\r\n")
            overlap = data[-23:] if not data.endswith(b"HTTP/1.1 404 Not Found\r\n") else b""
        sending.join()
    assert came == 10_000
    assert memory(router) - before < 20 * MEGABYTE


def test_pipelined_requests_whose_answers_nobody_reads(router):
    before = memory(router)
    with router.connect() as client:
        client.settimeout(0.3)
        piece, sent = request("nobody.hard.test", "X: " + "y" * 1000) * 100, 0
        with contextlib.suppress(TimeoutError):
            while sent < LARGE:
                sent += client.send(piece)
        assert sent < LARGE
    assert memory(router) - before < 20 * MEGABYTE


@pytest.mark.parametrize(("secure", "many", "kilobytes"), [(False, 1500, 10), (True, 150, 40)])
def test_connections_that_only_wait(router, secure, many, kilobytes):
    """Ten thousand of them are to fit into 250 MB."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    others = []
    before = memory(router)
    try:
        for _ in range(many):
            others.append(secured(router) if secure else router.connect())
            others[-1].sendall(request("others.hard.test"))
        assert all(one.recv(65536).startswith(b"HTTP/1.1 200 OK") for one in others)
        assert (memory(router) - before) / many < kilobytes * 1024
        assert any(asked_within(router, 0.5) for _ in range(5)), "many idle connections make all others slow"
    finally:
        for one in others:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def reset(connection):
    """Close with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("phase", ["greeting", "head", "request", "body", "chunks", "response", "tunnel", "tls", "hello"])
def test_resets_by_clients(router, backend, phase):
    def respond(connection):
        data = read_request(connection) if phase not in ("body", "chunks") else connection.recv(65536)
        if phase == "tunnel":
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        elif phase == "response" and data:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(100))
        closed(connection)

    router.register("reset.hard.test", backend(respond))
    data = {
        "head": b"GET / HTTP/1.1\r\nHo",
        "request": request("reset.hard.test"),
        "body": request("reset.hard.test", "Content-Length: 9", method="POST") + b"123",
        "chunks": request("reset.hard.test", "Transfer-Encoding: chunked", method="POST") + b"9\r\n123",
        "response": request("reset.hard.test"),
        "tunnel": request("reset.hard.test", "Upgrade: websocket", "Connection: upgrade"),
        "hello": b"\x16\x03\x01\x01\x00\x01",
    }.get(phase, b"")
    for _ in range(10):
        if phase == "tls":
            reset(secured(router))
            continue
        client = router.connect(router.tls_port if phase == "hello" else None)
        client.sendall(data)
        if phase in ("response", "tunnel"):
            client.recv(100)
        reset(client)


def test_chunk_extensions_without_end(router, backend):
    router.register("extensions.hard.test", backend())
    with router.connect() as client:
        client.sendall(request("extensions.hard.test", "Transfer-Encoding: chunked", method="POST"))
        piece = b"1;" + b"x" * 4000 + b"\r\na\r\n"
        assert send_until_refused(client, (piece for _ in range(10_000))) < 16 * MEGABYTE
        assert closed(client)[:12] in (b"HTTP/1.1 502", b"HTTP/1.1 400", b"")


def test_trailers_without_end(router, backend):
    router.register("trailers.hard.test", backend())
    with router.connect() as client:
        client.sendall(request("trailers.hard.test", "Transfer-Encoding: chunked", method="POST") + b"0\r\n")
        assert send_until_refused(client, (b"X: y\r\n" * 1000 for _ in range(10_000))) < 16 * MEGABYTE
        assert closed(client)[:12] in (b"HTTP/1.1 502", b"HTTP/1.1 400", b"")


def test_hellos_without_end(router):
    """Empty records, of which a hello never comes."""
    with router.connect(router.tls_port) as client:
        assert send_until_refused(client, (b"\x16\x03\x01\0\0" * 5000 for _ in range(1000))) < 16 * MEGABYTE
        closed(client)


# Clients that speak HTTP/2


@pytest.fixture
def greedy(router):
    client = Client(router.tls_port)
    client.read()
    yield client
    client.close()


def flood(client, frames):
    """Send these until the router has had enough and closes; the reason that it gives, if it could be read."""
    with contextlib.suppress(OSError):
        for frame in frames:
            client.socket.sendall(frame)
    client.socket.settimeout(DEADLINE)
    with contextlib.suppress(ProtocolError):  # the library knows nothing of streams that were opened without it
        while client.read():
            pass
    closed(client.socket)
    return client.goaway.error_code if client.goaway is not None else None


def block(client, *fields):
    pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", "others.hard.test"), (":path", "/")]
    return client.h2.encoder.encode([*pseudo, *fields])


@pytest.mark.parametrize(
    "frame",
    [PingFrame(0, b"12345678"), SettingsFrame(0, {4: 65535}), SettingsFrame(0, {1: 0})],
    ids=["ping", "windows", "settings"],
)
def test_floods_of_control_frames(router, greedy, frame):
    before = memory(router)
    assert flood(greedy, (frame.serialize() * 500 for _ in range(100))) in (CALM, None)
    assert memory(router) - before < 20 * MEGABYTE


def test_rapid_resets(router, greedy):
    """CVE-2023-44487: streams that are opened and reset at once, each of which would be a request to a backend."""
    fields = block(greedy)

    def pairs():
        for number in range(1, 20_001, 2):
            begin = HeadersFrame(number, fields, flags=["END_HEADERS", "END_STREAM"])
            yield begin.serialize() + RstStreamFrame(number, 8).serialize()

    assert flood(greedy, (b"".join(some) for some in zip(*[pairs()] * 100, strict=True))) in (CALM, None)


def test_bombs_of_headers(router, greedy):
    """An entry of the table of four kilobytes, and thousands of references to it."""
    before = memory(router)
    greedy.raw(HeadersFrame(1, block(greedy, ("x", "a" * 3900)), flags=["END_HEADERS", "END_STREAM"]))
    bomb = HeadersFrame(3, b"\xbe" * 16_000, flags=["END_HEADERS", "END_STREAM"]).serialize()
    assert flood(greedy, [bomb]) in (CALM, None)
    assert memory(router) - before < 60 * MEGABYTE


def test_continuations_without_end(router, greedy):
    first = HeadersFrame(1, b"\x00\x01x\x7f\xff\xff\x7f", flags=["END_STREAM"]).serialize()
    assert flood(greedy, [first, *(ContinuationFrame(1, bytes(16_000)).serialize() for _ in range(300))]) in (CALM, None)


def test_windows_that_never_open(router, greedy, backend):
    """A hundred large responses at a time, of which the client takes nothing."""

    def respond(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(bytes(1 << 18))

    router.register("windows.hard.test", backend(respond))
    before = memory(router)
    greedy.grants = False
    greedy.raw(SettingsFrame(0, {4: 0}))
    streams = [greedy.begin("windows.hard.test") for _ in range(100)]
    greedy.until(lambda: all(greedy.streams.get(one) and greedy.streams[one].headers for one in streams))
    assert ask(router) == 200
    assert memory(router) - before < 80 * MEGABYTE


# Backends

LIES = {
    "answers before the request": lambda connection: (connection.sendall(OK), read_request(connection)),
    "answers twice": lambda connection: (read_request(connection), connection.sendall(OK + OK)),
    "answers twice, later": lambda connection: (read_request(connection), connection.sendall(OK), connection.sendall(OK)),
    "says more than announced": lambda connection: (read_request(connection), connection.sendall(OK + b"garbage")),
    "closes within a chunk": lambda connection: (
        read_request(connection), connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")),
    "closes within a body": lambda connection: (
        read_request(connection), connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")),
    "is not HTTP": lambda connection: (read_request(connection), connection.sendall(b"220 smtp.test ESMTP\r\n")),
    "resets": lambda connection: (read_request(connection), reset(connection)),
    "says nothing": lambda connection: read_request(connection),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_backends_that_do_not_keep_to_the_rules(router, backend, lie):
    """A client gets at most one response for each request, and never that of another."""
    host = f"lie{list(LIES).index(lie)}.hard.test"
    router.register(host, backend(LIES[lie]))
    for _ in range(3):
        with router.connect() as client:
            client.sendall(request(host, "Connection: close"))
            came = closed(client)
        assert came.count(b"HTTP/1.1 ") == 1
        assert b"garbage" not in came
        assert came.startswith((b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 502 Bad Gateway\r\n"))


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 10_000),
        (b"", b"x" * 65536),
    ],
    ids=["1xx", "headers", "no line"],
)
def test_backends_whose_heads_never_end(router, backend, begin, piece):
    sent = []

    def respond(connection):
        read_request(connection)
        connection.sendall(begin)
        sent.append(send_until_refused(connection, (piece for _ in range(100 * MEGABYTE // len(piece)))))

    host = f"endless{len(piece)}.hard.test"
    router.register(host, backend(respond))
    answer = closed_after(router, request(host, "Connection: close"))
    assert b"HTTP/1.1 502 Bad Gateway\r\n" in answer
    eventually(lambda: sent, "the backend's end")
    assert max(sent) < 40 * MEGABYTE


@pytest.mark.parametrize("kind", ["extensions", "trailers"])
def test_backends_whose_bodies_never_end(router, backend, kind):
    sent = []
    begin, piece = {
        "extensions": (b"", b"1;" + b"x" * 4000 + b"\r\na\r\n"),
        "trailers": (b"1\r\na\r\n0\r\n", b"X: y\r\n" * 1000),
    }[kind]

    def respond(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + begin)
        sent.append(send_until_refused(connection, (piece for _ in range(5000))))

    router.register(f"{kind}.back.hard.test", backend(respond))
    answer = closed_after(router, request(f"{kind}.back.hard.test"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not answer.endswith(b"0\r\n\r\n")
    eventually(lambda: sent, "the backend's end")
    assert max(sent) < 10 * MEGABYTE


def closed_after(router, data):
    with router.connect() as client:
        client.sendall(data)
        return closed(client)
