"""What all samples have in common."""

import http.client
import socket
import threading

import pytest
import yaml

from cfroute.cli.apps import samples

from .conftest import Start

NAMES = ["echo", "logging-route-service", "spring-music"]
"""Those that speak HTTP."""


def test_these_are_the_samples() -> None:
    assert samples.names() == [*NAMES, "tcp-echo"]


@pytest.mark.parametrize("name", [*NAMES, "tcp-echo"])
def test_each_can_be_pushed(name: str) -> None:
    folder = samples.folder(name)
    assert (folder / "Procfile").read_text() == "web: python3 -u server.py\n"
    [app] = yaml.safe_load((folder / "manifest.yml").read_text())["applications"]
    assert {"name", "memory", "instances"} <= app.keys()


def test_they_serve_alike() -> None:
    assert len({(samples.folder(name) / "serving.py").read_text() for name in NAMES}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_each_ends_at_once_when_asked_though_connections_are_idle(start: Start, name: str) -> None:
    app = start(name)
    idle = http.client.HTTPConnection("127.0.0.1", app.port)
    idle.request("GET", "/")
    idle.getresponse().read()
    assert app.end() == 0
    assert app.log.endswith("ended\n")
    idle.close()


def test_what_was_begun_is_answered_before_the_end(start: Start) -> None:
    app = start("echo")
    connection = http.client.HTTPConnection("127.0.0.1", app.port)
    connection.request("GET", "/slow?seconds=0.5")
    ending = threading.Thread(target=app.end)
    ending.start()
    assert connection.getresponse().read() == b"at last\n"
    ending.join()
    assert app.process.returncode == 0
    connection.close()


@pytest.mark.parametrize(
    ("name", "path"),
    [("echo", "/bytes/3"), ("echo", "/status/9"), ("echo", "/ws"), ("spring-music", "/albums"), ("spring-music", "/nowhere")],
)
def test_a_body_that_nobody_wants_is_not_the_next_request(start: Start, name: str, path: str) -> None:
    app = start(name)
    hidden = b"GET /hidden HTTP/1.1\r\n\r\n"
    for body in (
        b"Content-Length: %d\r\n\r\n%s" % (len(hidden), hidden),
        b"Transfer-Encoding: chunked\r\n\r\n18\r\n%s\r\n0\r\n\r\n" % hidden,
    ):
        with socket.create_connection(("127.0.0.1", app.port), 10) as connection:
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s" % (path.encode(), body))
            connection.shutdown(socket.SHUT_WR)
            answered = connection.makefile("rb").read()
        assert answered.count(b"HTTP/1.1 ") == 1
    assert "hidden" not in app.log
