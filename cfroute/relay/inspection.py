"""A client whose hello is awaited: where it goes depends on the name in it."""

import socket
from collections.abc import Callable

from cfroute.proxy.client_hello import read
from cfroute.relay.poller import READ, Poller, Watched

_MOST = 1 << 16  # bytes that a hello may have
_HANDSHAKE = 22  # the first byte of a connection that begins with a hello


class Inspection(Watched):
    """Reads a client's first bytes until it is clear which server it asks for, and then tells `decided`: name and bytes.

    The name is empty for a client that asks for none, does not speak TLS, or says nothing for too long.
    """

    __slots__ = ("_data", "_decided", "_poller", "_sock")

    def __init__(self, poller: Poller, sock: socket.socket, decided: Callable[[str, bytes], object]) -> None:
        super().__init__(sock.fileno())
        self._poller = poller
        self._sock = sock
        self._decided = decided
        self._data = b""
        poller.watch(self, READ)

    def __repr__(self) -> str:
        return f"<Inspection {len(self._data)} bytes>"

    def ready(self, events: int) -> None:
        try:
            data = self._sock.recv(_MOST - len(self._data))
        except BlockingIOError:
            return
        except OSError:  # whoever goes on with the connection meets the same
            data = b""
        self._data += data
        if not data or len(self._data) >= _MOST or self._data[0] != _HANDSHAKE:
            self.decide("")
        elif (hello := read(self._data)) is not None:
            self.decide(hello.server_name)

    def abandon(self) -> None:
        self.decide("")

    def timed_out(self) -> None:
        """What has come until now is all there is."""
        self.decide("")

    def decide(self, name: str) -> None:
        """Stop listening, and tell."""
        self._poller.leave(self)
        self._decided(name, self._data)

    def close(self) -> None:
        """Stop listening; nobody is told."""
        self._poller.leave(self)
