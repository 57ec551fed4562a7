"""The sample for TCP routes."""

import socket
import struct
import threading

import pytest

from .conftest import App, Start


@pytest.fixture
def app(start: Start) -> App:
    return start("tcp-echo", CF_INSTANCE_INDEX="3")


def connected(app: App) -> socket.socket:
    return socket.create_connection(("127.0.0.1", app.port), 10)


def received(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_all_comes_back_also_after_the_client_has_said_all(app: App) -> None:
    sent = bytes(range(256)) * 40_000  # more than fits into the buffers of the system
    with connected(app) as connection:
        writing = threading.Thread(target=lambda: (connection.sendall(sent), connection.shutdown(socket.SHUT_WR)))
        writing.start()
        assert received(connection) == sent
        writing.join()
        who = "{}:{}".format(*connection.getsockname())
    app.until(lambda: f"{who} has gone: {len(sent)} bytes in" in app.log)
    assert f"{who} is there, on instance 3\n" in app.log


def test_what_is_said_comes_back_at_once(app: App) -> None:
    with connected(app) as one, connected(app) as other:
        for word in (b"a", b"b\n"):
            for connection in (one, other):
                connection.sendall(word)
                assert connection.recv(10) == word


def test_who_says_nothing_is_told_when_he_stays(app: App) -> None:
    with connected(app) as connection:
        app.until(lambda: "is there" in app.log)
        connection.shutdown(socket.SHUT_WR)
        assert received(connection) == b""
    app.until(lambda: "has gone: 0 bytes" in app.log)


def test_a_look_of_a_health_check_is_not_told(app: App) -> None:
    connected(app).close()
    with connected(app) as connection:
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
        assert app.log.count("is there") == 1


def test_a_client_that_breaks_off_is_told(app: App) -> None:
    with connected(app) as connection:
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    app.until(lambda: "broke off" in app.log)


def test_it_ends_when_asked_and_sends_back_what_it_got_first(app: App) -> None:
    with connected(app) as connection:
        connection.sendall(b"last words")
        assert connection.recv(20) == b"last words"
        assert app.end() == 0
        assert received(connection) == b""
    assert app.log.endswith("ended\n")
