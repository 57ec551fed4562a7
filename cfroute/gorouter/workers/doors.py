"""The sockets that the clients of a router with several workers connect to.

Where the kernel spreads the connections of one port over several sockets (Linux), each worker has sockets of its own; elsewhere
all of them accept from the same one. The parent keeps every socket open as well: what waits to be accepted when a worker ends is
accepted by the one that takes its place.

The sockets are made before the workers, which inherit them, and get their addresses when the router opens.
"""

import socket
import sys
from collections.abc import Iterable
from typing import Final

from cfroute.gorouter.listening import EVERYWHERE, listen

_BACKLOG: Final = 4096  # connections that may wait to be accepted
_SPREADS: Final = sys.platform == "linux"


class Doors:
    """All doors of one router, by their names."""

    def __init__(self, hosts: dict[str, str], workers: int) -> None:
        """`hosts` has the address of each door; an empty one stands for all addresses."""
        self._workers = workers
        self._waiting = {(door, address): _sockets(address, workers) for door, host in hosts.items() for address in _all(host)}
        self._open: list[tuple[str, list[socket.socket]]] = []

    async def open(self, door: str, host: str, port: int) -> None:
        """Listen there. Raises CannotListen."""

        async def bind(address: str, port: int) -> int:
            port = _bind(self._waiting[door, address], address, port)
            self._open.append((door, self._waiting.pop((door, address))))
            return port

        await listen(host, port, bind)

    def of(self, worker: int) -> list[int]:
        """The descriptors of all sockets of that worker."""
        everything = [*self._waiting.values(), *(sockets for _, sockets in self._open)]
        return [sockets[worker].fileno() for sockets in everything if sockets]

    def opened(self, worker: int) -> list[tuple[str, int]]:
        """Those that listen, by the names of their doors."""
        return [(door, sockets[worker].fileno()) for door, sockets in self._open]

    @property
    def accept(self) -> bool:
        """Whether all sockets that should listen still do."""
        return all(_listens(each) for _, sockets in self._open for each in sockets)

    def close(self) -> None:
        """Let nobody else in, not even by a worker that is slow to close its own."""
        for _, sockets in self._open:
            for each in set(sockets):
                if _listens(each):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        for sockets in self._waiting.values():
            for each in sockets:
                each.close()
        self._open.clear()
        self._waiting.clear()


def _all(host: str) -> Iterable[str]:
    return (host,) if host else EVERYWHERE


def _sockets(address: str, workers: int) -> list[socket.socket]:
    """A socket for each worker; none where the machine does not have that family of addresses."""
    try:
        made = [_socket(address) for _ in range(workers if _SPREADS else 1)]
    except OSError:  # who binds to it finds out why
        return []
    return made if _SPREADS else made * workers


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _socket(address: str) -> socket.socket:
    made = socket.socket(_family(address), socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in address:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def _bind(sockets: list[socket.socket], address: str, port: int) -> int:
    """Listen with all of them at one port; returns it. Raises OSError."""
    with _socket(address) as probe:  # a port is shared with our own workers, not with whoever has it already
        probe.bind((address, port))
        port = probe.getsockname()[1]
    for each in dict.fromkeys(sockets):
        if _SPREADS:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        each.bind((address, port))
    for each in dict.fromkeys(sockets):
        each.listen(_BACKLOG)
    return port


def _listens(each: socket.socket) -> bool:
    return each.fileno() >= 0 and each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) != 0
