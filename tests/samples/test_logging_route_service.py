"""The route service between a Gorouter (played by the test) and an app, through the egress proxy of a cell."""

import asyncio
import contextlib
import datetime
import gzip
import ipaddress
import re
import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cfroute.diego.cell.egress import Egress
from cfroute.diego.cell.environment import NO_PROXY
from cfroute.logs import ERROR, Logger
from cfroute.resolver import Mapping

from .conftest import App, Start

URL = "https://app.cf.localhost/path?q=1"
TIME = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d "


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = b"".join(_chunks(self.rfile)) if "Transfer-Encoding" in self.headers else self.rfile.read(length)
        seen.append((self.command, self.path, dict(self.headers.items()), body))
        answer = b"x" * 3_000_000 if self.path == "/big" else gzip.compress(b"from the app")
        self.send_response(201)
        if self.path != "/big":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("X-App", "yes")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None: ...


seen: list[tuple[str, str, dict[str, str], bytes]] = []


def _chunks(stream: Any) -> Iterator[bytes]:
    while size := int(stream.readline(), 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for the app, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.cf.localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("*.cf.localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "app.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, *form)
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + pem)
    return file


@pytest.fixture
def proxy(certificate: Path) -> Iterator[str]:
    """The URL of an egress proxy that leads app.cf.localhost:443 to a backend with TLS."""
    backend = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    backend.socket = context.wrap_socket(backend.socket, server_side=True)
    serving = threading.Thread(target=backend.serve_forever, args=(0.02,))
    serving.start()
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    urls = []

    async def run() -> None:
        mapping = Mapping("*.cf.localhost", 443, "127.0.0.1", backend.server_port)
        async with Egress([mapping], Logger("egress", ERROR)).serving("127.0.0.1") as url:
            urls.append(url)
            ready.set()
            await stop.wait()

    proxying = threading.Thread(target=loop.run_until_complete, args=(run(),))
    proxying.start()
    ready.wait(30)
    seen.clear()
    yield urls[0]
    loop.call_soon_threadsafe(stop.set)
    proxying.join()
    loop.close()
    backend.shutdown()
    serving.join()
    backend.server_close()


def route_service(start: Start, proxy: str, certificate: Path, **changes: str) -> App:
    environment = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": NO_PROXY, "SSL_CERT_FILE": str(certificate)}
    return start("logging-route-service", **(environment | changes))


def send(app: App, url: str | None, method: str = "GET", body: Any = None) -> tuple[HTTPResponse, bytes]:
    headers = {"X-CF-Proxy-Signature": "secret", "X-CF-Proxy-Metadata": "meta", "X-Forwarded-For": "9.9.9.9"}
    if url is not None:
        headers["X-CF-Forwarded-Url"] = url
    with contextlib.closing(HTTPConnection("127.0.0.1", app.port, timeout=30)) as connection:
        connection.putrequest(method, "/ignored", skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
        elif body is not None:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(body, encode_chunked=body is not None and not isinstance(body, bytes))
        answer = connection.getresponse()
        return answer, answer.read()


def test_forwards_with_all_headers_and_writes_down_what_passes(start: Start, proxy: str, certificate: Path) -> None:
    app = route_service(start, proxy, certificate)
    answer, body = send(app, URL, "POST", b"question")

    assert (answer.status, answer.getheader("X-App"), body) == (201, "yes", b"from the app")
    [(method, path, headers, question)] = seen
    assert (method, path, question) == ("POST", "/path?q=1", b"question")
    assert headers["Host"] == "app.cf.localhost"
    assert headers["X-CF-Proxy-Signature"] == "secret"
    assert headers["X-CF-Proxy-Metadata"] == "meta"
    assert headers["X-Forwarded-For"] == "9.9.9.9, 127.0.0.1"
    lines = [re.sub(f"^{TIME}", "", line) for line in app.log.splitlines() if re.match(TIME, line)]
    shape = [re.sub(r"http\.Header\{.*\}", "http.Header{…}", line) for line in lines]
    assert shape == [
        "Skip ssl validation set to false",
        "Received request: ",
        f"X-Cf-Forwarded-Url: {URL}",
        "X-Cf-Proxy-Signature: secret",
        "",
        "Headers: http.Header{…}",
        "",
        "Request Body: question",
        f"Forwarding to: {URL}",
        "",
        "Response Headers: http.Header{…}",
        "",
        "Response Body: from the app",
        "",
        "Sending response to GoRouter...",
    ]
    assert '"X-Cf-Proxy-Signature":[]string{"secret"}' in app.log


def test_big_bodies_stream_both_ways(start: Start, proxy: str, certificate: Path) -> None:
    app = route_service(start, proxy, certificate)
    _, body = send(app, "https://app.cf.localhost/big", "POST", iter([b"y" * 100_000] * 20))

    assert len(body) == 3_000_000
    assert len(seen[0][3]) == 2_000_000
    assert "Response Body: xxx" in app.log
    assert "(goes on)" in app.log


def test_the_signature_can_be_kept_secret_and_the_service_can_be_slow(start: Start, proxy: str, certificate: Path) -> None:
    app = route_service(start, proxy, certificate, REDACT_SIGNATURE="true", ROUTE_SERVICE_SLEEP_MILLI="20")
    assert send(app, URL)[0].status == 201
    assert "secret" not in app.log
    assert "Sleeping for 20 milliseconds" in app.log


def test_certificates_are_checked_unless_that_is_switched_off(
    start: Start, proxy: str, certificate: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_text("")
    app = start("logging-route-service", HTTPS_PROXY=proxy)
    assert send(app, URL)[0].status == 502
    assert "certificate verify failed" in app.log
    app.end()
    trusting = start("logging-route-service", HTTPS_PROXY=proxy, SKIP_SSL_VALIDATION="true")
    assert send(trusting, URL)[0].status == 201


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, 'http: proxy error: unsupported protocol scheme ""'),
        ("ftp://x/", 'unsupported protocol scheme "ftp"'),
        ("https://", "no Host in request URL"),
        ("https://[::1/", "http: proxy error: parse"),
        ("https://gone.invalid/", "http: proxy error: OSError: Tunnel connection failed: 502"),
    ],
)
def test_bad_requests_do_not_end_it(start: Start, proxy: str, certificate: Path, url: str | None, said: str) -> None:
    app = route_service(start, proxy, certificate)
    answer, body = send(app, url)
    assert (answer.status, body) == (502, b"")
    assert said in app.log
    assert send(app, URL)[0].status == 201


def test_a_bad_sleep_value_does_not_end_it(start: Start, proxy: str, certificate: Path) -> None:
    app = route_service(start, proxy, certificate, ROUTE_SERVICE_SLEEP_MILLI="soon")
    assert send(app, URL)[0].status == 502
    assert app.process.poll() is None


def test_websockets_pass_through(start: Start, proxy: str, certificate: Path) -> None:
    import socket

    echo = start("echo")
    app = route_service(start, proxy, certificate)
    with socket.create_connection(("127.0.0.1", app.port), 5) as connection:
        connection.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nX-CF-Forwarded-Url: http://localhost:{echo.port}/ws\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n".encode()
        )
        stream = connection.makefile("rb")
        assert b"".join(iter(stream.readline, b"\r\n")).startswith(b"HTTP/1.1 101 ")
        connection.sendall(b"\x81\x82\0\0\0\0hi")
        assert stream.read(4) == b"\x81\x02hi"
        connection.shutdown(socket.SHUT_WR)
        assert stream.read() == b""
    assert app.end() == 0
