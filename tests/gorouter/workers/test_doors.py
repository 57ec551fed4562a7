"""The sockets that all workers of a router share."""

import asyncio
import contextlib
import socket

import pytest

from cfroute.gorouter.listening import CannotListen
from cfroute.gorouter.workers.doors import Doors


def refused(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_every_worker_has_a_socket_at_each_door(port: int) -> None:
    doors = Doors({"front": "127.0.0.1", "back": "127.0.0.1"}, 3)
    try:
        asyncio.run(doors.open("front", "127.0.0.1", port))
        for worker in range(3):
            [(door, descriptor)] = doors.opened(worker)
            assert door == "front"
            assert descriptor in doors.of(worker)
            assert len(doors.of(worker)) == 2
            assert socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM).getsockname()[1] == port
        assert doors.accept
        assert not refused(port)
    finally:
        doors.close()
    assert refused(port)
    doors.close()


def test_a_socket_that_has_stopped_listening_is_noticed(port: int) -> None:
    doors = Doors({"front": "127.0.0.1"}, 2)
    asyncio.run(doors.open("front", "127.0.0.1", port))
    [(_, descriptor)] = doors.opened(1)
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as theirs:
        theirs.shutdown(socket.SHUT_RDWR)
    assert not doors.accept
    doors.close()


def test_a_port_is_not_shared_with_others(port: int) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        doors = Doors({"front": "127.0.0.1"}, 2)
        with pytest.raises(CannotListen, match=rf"^listen tcp 127\.0\.0\.1:{port}: bind: address already in use$"):
            asyncio.run(doors.open("front", "127.0.0.1", port))
        doors.close()


def test_everywhere(port: int) -> None:
    doors = Doors({"front": ""}, 2)
    try:
        asyncio.run(doors.open("front", "", port))
        assert not refused(port)
        assert doors.accept
        assert len(doors.opened(0)) in (1, 2)
    finally:
        doors.close()
