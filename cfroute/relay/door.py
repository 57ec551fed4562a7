"""A listening socket, and how connections come in."""

import contextlib
import socket
from collections.abc import Callable
from typing import Final

from cfroute.relay.poller import READ, Poller, Watched
from cfroute.relay.routes import Port

_BATCH: Final = 64  # connections accepted before others get their turn
_BACKLOG: Final = 4096  # connections that may wait to be accepted


class Door(Watched):
    """Accepts the connections of a port. `entered` gets each, and tells whether there is room for another one.

    `locked` is told when the system has no room for one.
    """

    __slots__ = ("_entered", "_listener", "_locked", "_poller", "port")

    def __init__(
        self,
        port: Port,
        listener: socket.socket,
        poller: Poller,
        entered: Callable[[Port, socket.socket], bool],
        locked: Callable[[OSError], object],
    ) -> None:
        super().__init__(listener.fileno())
        self.port = port
        self._listener = listener
        self._poller = poller
        self._entered = entered
        self._locked = locked

    def __repr__(self) -> str:
        return f"<Door {self.port.number}>"

    def open(self) -> None:
        """Accept connections."""
        self._poller.watch(self, READ)

    def lock(self) -> None:
        """Accept none for a while: they wait in the kernel."""
        self._poller.leave(self)

    def close(self) -> None:
        """Listen no more. Who waits is refused."""
        if self.fd >= 0:
            self._poller.leave(self)
            self.fd = -1
            self._listener.close()

    def ready(self, events: int) -> None:
        for _ in range(_BATCH):
            try:
                sock, _address = self._listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:  # it has gone again
                continue
            except OSError as error:
                self._locked(error)
                return
            sock.setblocking(False)
            with contextlib.suppress(OSError):  # as the next that is done with it, if it has gone again
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._entered(self.port, sock):
                return


def listen(address: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    listener.setblocking(False)
    return listener
