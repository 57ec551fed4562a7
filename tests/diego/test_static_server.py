"""What the droplet of a static site runs."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cfroute.diego.cell import static_server

from ..ports import free_port
from .conftest import eventually


class Site:
    """A running server of a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, static_server.__file__, *options, str(folder)],
            env={"PATH": os.environ["PATH"], "PORT": str(self.port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None)

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    for name, text in {"index.html": "home", ".secret": "x", "Staticfile": "x", "deep/page.html": "page"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    site = Site(tmp_path)
    yield site
    site.process.kill()
    site.process.wait()


def test_files_and_what_is_hidden(site: Site) -> None:
    assert site.get("/") == (200, b"home")
    assert site.get("/deep/page.html") == (200, b"page")
    statuses = {path: site.get(path)[0] for path in ("/.secret", "/Staticfile", "/deep/", "/nothing", "/../../etc/passwd")}
    assert statuses == {"/.secret": 404, "/Staticfile": 404, "/deep/": 403, "/nothing": 404, "/../../etc/passwd": 404}


@pytest.mark.parametrize("body", [b"Content-Length: 24\r\n\r\n%s", b"Transfer-Encoding: chunked\r\n\r\n18\r\n%s\r\n0\r\n\r\n"])
def test_a_body_is_not_the_next_request(site: Site, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + body % b"GET /hidden HTTP/1.1\r\n\r\n")
        answered = connection.makefile("rb").read()
    assert answered.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in answered


def test_ends_at_once_though_a_connection_is_idle(site: Site) -> None:
    idle = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    for _ in range(2):
        idle.request("GET", "/")
        assert idle.getresponse().read() == b"home"
    site.process.send_signal(signal.SIGTERM)
    assert site.process.wait(30) == 0
    idle.close()
