"""Listening, and how it is said that it cannot be."""

import asyncio
import errno
import socket
from collections.abc import Callable

import pytest

from cfroute.gorouter.listening import CannotListen, cannot_listen, listen


@pytest.mark.parametrize(
    ("host", "error", "text"),
    [
        ("", OSError(errno.EADDRINUSE, "x"), "listen tcp :80: bind: address already in use"),
        ("127.0.0.1", PermissionError(errno.EACCES, "x"), "listen tcp 127.0.0.1:80: bind: permission denied"),
        ("::1", OSError(errno.EADDRNOTAVAIL, "x"), "listen tcp [::1]:80: bind: cannot assign requested address"),
        ("nowhere", socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
    ],
)
def test_go_s_words(host: str, error: OSError, text: str) -> None:
    assert text in str(cannot_listen(host, 80, error))


def run(host: str, bind: Callable[[str, int], int]) -> int:
    async def awaited(host: str, port: int) -> int:
        return bind(host, port)

    return asyncio.run(listen(host, 80, awaited))


def test_everywhere_is_both_families() -> None:
    hosts: list[str] = []
    assert run("", lambda host, port: hosts.append(host) or 80) == 80
    assert hosts == ["0.0.0.0", "::"]
    hosts.clear()
    run("127.1.2.3", lambda host, port: hosts.append(host) or 80)
    assert hosts == ["127.1.2.3"]


def test_a_machine_without_ipv6() -> None:
    def bind(host: str, port: int) -> int:
        if host == "::":
            raise OSError(errno.EAFNOSUPPORT, "x")
        return port

    assert run("", bind) == 80


@pytest.mark.parametrize(("host", "number"), [("", errno.EADDRINUSE), ("", errno.EAFNOSUPPORT), ("::1", errno.EADDRNOTAVAIL)])
def test_a_port_that_cannot_be_had(host: str, number: int) -> None:
    def bind(host: str, port: int) -> int:
        raise OSError(number, "x")

    with pytest.raises(CannotListen):
        run(host, bind)
