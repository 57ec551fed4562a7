"""Ports of this machine, and who holds them."""

import socket
from collections.abc import Iterator

import pytest

from cfroute.errors import Conflict
from cfroute.foundation.machine import LocalMachine, check, check_some, holder_of
from cfroute.foundation.plan import Listener


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_free_and_busy_ports(busy: int) -> None:
    machine = LocalMachine()
    assert machine.has_address("127.0.0.1")
    assert not machine.has_address("192.0.2.1")
    assert not machine.is_free("127.0.0.1", busy)
    assert machine.allows_port("127.0.0.1", busy)
    assert machine.is_free("127.0.0.1", machine.pick("127.0.0.1"))


def test_the_holder_is_found_on_any_address() -> None:
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as listener:
            listener.bind((address, 0))
            listener.listen()
            assert "(pid " in holder_of(Listener("127.0.0.1", listener.getsockname()[1]))


def test_nobody_holds_a_free_port() -> None:
    assert holder_of(Listener("127.0.0.1", LocalMachine().pick("127.0.0.1"))) == ""


def test_a_conflict_names_the_port_the_use_and_the_way_out(busy: int) -> None:
    with pytest.raises(Conflict, match=f"port {busy} on 127.0.0.1, which uaa/0 .tls. needs, is in use by") as caught:
        check([("uaa/0 (tls)", Listener("127.0.0.1", busy))])
    assert "--single-address" in caught.value.hint


def test_some_ports_in_use_are_told_and_all_are_refused(busy: int) -> None:
    taken, free = Listener("127.0.0.1", busy), Listener("127.0.0.1", LocalMachine().pick("127.0.0.1"))
    assert check_some([free]) == []
    (told,) = check_some([taken, free])
    assert told.startswith(f"port {busy} is in use (the first by ")
    assert "--tcp-ports" in told
    with pytest.raises(Conflict, match=f"every port for TCP routes, {busy}, is in use .the first by") as caught:
        check_some([taken])
    assert "--tcp-ports" in caught.value.hint
