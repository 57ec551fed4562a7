"""TCP's own probes."""

import socket

import pytest

from cfroute.proxy.keep_alive import _IDLE, probe


@pytest.mark.parametrize(("seconds", "expected"), [(1.0, 1), (0.2, 1), (2.6, 3), (0.0, 15), (1e9, 32_767)])
def test_probes(seconds: float, expected: int) -> None:
    with socket.socket() as connection:
        probe(connection, seconds)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.getsockopt(socket.IPPROTO_TCP, _IDLE) == expected
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == expected


def test_no_probes() -> None:
    with socket.socket() as connection:
        probe(connection, -1.0)
        assert not connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
