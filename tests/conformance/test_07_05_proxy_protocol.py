"""The PROXY protocol, version 1, on both listeners (spec 7.5)."""

import re
import socket
import time

import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import Response, Router
from .identities import Authority, client_context, connect, exchange


@pytest.fixture(scope="module")
def proxied(shared_nats, tmp_path_factory):
    port = free_port()
    settings = {
        "enable_proxy": True,
        "enable_ssl": True,
        "ssl_port": port,
        "tls_pem": [Authority().issue("front.test").pair],
        "client_cert_validation": "none",
        "cipher_suites": "ECDHE-ECDSA-AES128-GCM-SHA256",
    }
    router = Router(tmp_path_factory.mktemp("proxied"), shared_nats, settings)
    router.ssl_port = port
    yield router
    assert router.stop() == 0


def fetch(router, host, *pieces, tls=False):
    """The response to a GET after these first bytes."""
    if tls:
        with connect(router.ssl_port, client_context(), first=b"".join(pieces)) as client:
            return Response.parse(exchange(client, host))
    with router.connect() as client:
        for piece in pieces:
            client.sendall(piece)
        return Response.parse(exchange(client, host))


def line(router, host):
    lines = lambda: [line for line in router.access_log.read_text().splitlines() if line.startswith(f"{host} ")]  # noqa: E731
    return eventually(lines, f"an access line of {host}")[-1]


@pytest.mark.statement("7.5", "on both listeners a PROXY line replaces the peer's address: X-Forwarded-For, access log")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    ("proxy", "source", "client"),
    [
        (b"PROXY TCP4 203.0.113.7 10.0.0.1 51324 443\r\n", b"203.0.113.7", "203.0.113.7:51324"),
        (b"PROXY TCP6 2001:DB8::0:7 ::1 51324 443\r\n", b"2001:db8::7", "[2001:db8::7]:51324"),
        (b"PROXY TCP6 ::ffff:203.0.113.8 ::1 1 2\r\n", b"203.0.113.8", "203.0.113.8:1"),
    ],
)
def test_a_line(proxied, backend, proxy, source, client, tls):
    app, host = backend(), f"{'tls' if tls else 'plain'}{len(proxy)}.line.test"
    proxied.register(host, app)
    assert fetch(proxied, host, proxy, tls=tls).status == 200
    assert b"\r\nX-Forwarded-For: " + source + b"\r\n" in app.seen[0]
    shown = line(proxied, host)
    assert f' "{client}" "127.0.0.1:{app.port}" x_forwarded_for:"{source.decode()}" ' in shown


@pytest.mark.statement("7.5", "the line is optional")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_no_line(proxied, backend, tls):
    app, host = backend(), f"{'tls' if tls else 'plain'}.noline.test"
    proxied.register(host, app)
    began = time.monotonic()
    assert fetch(proxied, host, tls=tls).status == 200
    assert time.monotonic() - began < 5
    assert b"\r\nX-Forwarded-For: 127.0.0.1\r\n" in app.seen[0]


@pytest.mark.statement("7.5", "the rule about empty hosts looks at the address of the line")
def test_empty_host(proxied):
    answer = fetch(proxied, "203.0.113.7", b"PROXY TCP4 203.0.113.7 10.0.0.1 51324 443\r\n")
    assert (answer.status, answer["X-Cf-Routererror"]) == (400, "empty_host")
    answer = fetch(proxied, "127.0.0.1", b"PROXY TCP4 203.0.113.7 10.0.0.1 51324 443\r\n")
    assert (answer.status, answer["X-Cf-Routererror"]) == (404, "unknown_route")


@pytest.mark.statement("7.5", "a line may come in pieces")
def test_a_line_in_pieces(proxied, backend):
    app = backend()
    proxied.register("pieces.test", app)
    pieces = [b"PRO", b"XY TCP4 203.0.113.7 10.0.0.1 ", b"51324 443\r", b"\n"]
    assert fetch(proxied, "pieces.test", *pieces).status == 200
    assert b"\r\nX-Forwarded-For: 203.0.113.7\r\n" in app.seen[0]


@pytest.mark.statement("7.5", "after 100 ms without a line the connection is one without; a line that comes then is no request")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_too_late(proxied, backend, tls):
    late = b"PROXY TCP4 203.0.113.7 10.0.0.1 51324 443\r\n"
    with proxied.connect(proxied.ssl_port if tls else None) as client:
        client.settimeout(0.4)
        with pytest.raises(TimeoutError):
            client.recv(1)  # nothing is said meanwhile
        client.settimeout(30)
        client.sendall(late + b"GET / HTTP/1.1\r\nHost: late.test\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(1000), b""))
    assert received.startswith(b"" if tls else b"HTTP/1.1 400 Bad Request")
    assert not (tls and received)


@pytest.mark.statement("7.5", "a connection that says nothing for 100 ms is served all the same")
def test_a_late_request(proxied, backend):
    proxied.register("patient.test", backend())
    with proxied.connect() as client:
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(30)
        assert Response.parse(exchange(client, "patient.test")).status == 200


@pytest.mark.statement("7.5", "UNKNOWN and malformed lines close the connection, and are told on stderr")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        (b"PROXY UNKNOWN\r\n", "Invalid UNKNOWN header line: PROXY UNKNOWN"),
        (b"PROXY UNKNOWN 1.1.1.1 2.2.2.2 3 4\r\n", "Invalid UNKNOWN header line: PROXY UNKNOWN 1.1.1.1 2.2.2.2 3 4"),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 3\r\n", "Invalid header line: PROXY TCP4 1.1.1.1 2.2.2.2 3"),
        (b"PROXY UDP4 1.1.1.1 2.2.2.2 3 4\r\n", "Unhandled address type: UDP4"),
        (b"PROXY TCP4 1.1.1 2.2.2.2 3 4\r\n", "Invalid source ip: 1.1.1"),
        (b"PROXY TCP4 1.1.1.1 x 3 4\r\n", "Invalid destination ip: x"),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 three 4\r\n", "Invalid source port: three"),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 3 \r\n", "Invalid destination port: "),
    ],
)
def test_bad_lines(proxied, proxy, reason, tls):
    with proxied.connect(proxied.ssl_port if tls else None) as client:
        client.sendall(proxy)
        assert client.recv(1000) == b""
    begin = r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[ERR\] Failed to read proxy prefix: "
    pattern = re.compile(begin + re.escape(reason) + "$", re.MULTILINE)
    eventually(lambda: pattern.search(proxied.output.read_text()), reason)


@pytest.mark.statement("7.5", "a line that is begun and not finished in time closes the connection")
def test_half_a_line(proxied):
    with proxied.connect() as client:
        client.sendall(b"PROXY TCP4 1.1.1.1")
        assert client.recv(1000) == b""
    pattern = re.compile(r"\[ERR\] Failed to read proxy prefix: read tcp [0-9.:]+->[0-9.:]+: i/o timeout$", re.MULTILINE)
    eventually(lambda: pattern.search(proxied.output.read_text()), "the line on stderr")


@pytest.mark.statement("7.5", "version 2 (binary) is not understood: 400")
def test_version_2(proxied):
    with proxied.connect() as client:
        client.sendall(b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12) + b"GET / HTTP/1.1\r\nHost: v2.test\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.statement("7.5", "without enable_proxy a PROXY line is no request")
def test_switched_off(shared_router):
    with shared_router.connect() as client:
        client.sendall(b"PROXY TCP4 1.1.1.1 2.2.2.2 3 4\r\nHost: a.test\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000).startswith(b"HTTP/1.1 400 Bad Request\r\n")
