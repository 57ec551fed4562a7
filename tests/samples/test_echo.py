import json
import os
import socket
import struct
from http.client import HTTPConnection, HTTPResponse

import pytest

from .conftest import App, Start


@pytest.fixture
def app(start: Start) -> App:
    return start("echo", CF_INSTANCE_INDEX="1")


def request(app: App, method: str, path: str, body: object = None) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", app.port, timeout=30)
    connection.request(method, path, body, {"X-Mine": "1"})  # type: ignore[arg-type]
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer, data


def test_says_what_it_was_asked(app: App) -> None:
    for body in (b"hello", iter([b"hel", b"lo"])):
        said = json.loads(request(app, "POST", "/a/b?c=d", body)[1])
        assert (said["method"], said["path"], said["body"]) == ("POST", "/a/b?c=d", "hello")
        assert ["X-Mine", "1"] in said["headers"]
        assert said["instance"]["index"] == "1"


def test_says_how_large_a_large_body_was(app: App) -> None:
    for body in (b"x" * 3_000_000, iter([b"x" * 1_000_000] * 3)):
        said = json.loads(request(app, "PUT", "/", body)[1])
        assert (said["body"], said["body_bytes"]) == ("x" * 65536, 3_000_000)


def test_does_what_it_is_told(app: App) -> None:
    assert request(app, "GET", "/status/418")[0].status == 418
    assert request(app, "GET", "/status/204")[1] == b""
    assert request(app, "GET", "/status/9")[0].status == 400
    assert len(request(app, "GET", "/bytes/100000")[1]) == 100_000
    assert request(app, "GET", "/drip?bytes=5&seconds=0.05")[1] == b"....."
    assert request(app, "GET", "/sse?events=2&seconds=0")[1] == b"id: 0\ndata: event 0\n\nid: 1\ndata: event 1\n\n"
    assert request(app, "HEAD", "/bytes/100")[1] == b""
    with pytest.raises(ConnectionError):
        request(app, "GET", "/crash")
    with pytest.raises(ConnectionError):
        request(app, "GET", "/exit?status=7")
    assert app.process.wait(30) == 7


def frame(first: int, payload: bytes) -> bytes:
    mask = os.urandom(4)
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack("!BH", 0x80 | 126, len(payload))
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([first]) + size + mask + masked


def test_websockets_get_everything_back(app: App) -> None:
    with socket.create_connection(("127.0.0.1", app.port), 5) as connection:
        connection.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        stream = connection.makefile("rb")
        head = b"".join(iter(stream.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head  # RFC 6455, 1.3

        connection.sendall(frame(0x81, b"hello"))
        assert stream.read(7) == b"\x81\x05hello"
        connection.sendall(frame(0x82, b"x" * 1000))
        assert stream.read(1004) == b"\x82\x7e\x03\xe8" + b"x" * 1000
        connection.sendall(frame(0x89, b"ping"))
        assert stream.read(6) == b"\x8a\x04ping"
        connection.sendall(frame(0x88, struct.pack("!H", 1000)))
        assert stream.read() == b"\x88\x02\x03\xe8"


def test_broken_frames_are_refused(app: App) -> None:
    with socket.create_connection(("127.0.0.1", app.port), 5) as connection:
        connection.sendall(
            b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n\x81\x05hello"  # not masked
        )
        stream = connection.makefile("rb")
        assert b"".join(iter(stream.readline, b"\r\n")).startswith(b"HTTP/1.1 101 ")
        assert stream.read() == b"\x88\x02" + struct.pack("!H", 1002)
