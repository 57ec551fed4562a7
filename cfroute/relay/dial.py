"""A connection to a backend while it is being made: TCP, and TLS if the backend speaks it."""

import os
import socket
import ssl
from collections.abc import Callable

from cfroute.proxy.failure import dial_failure
from cfroute.proxy.tls_transport import Wire
from cfroute.relay.leg import CHUNK
from cfroute.relay.poller import READ, WRITE, Poller, Watched
from cfroute.relay.values import Backend, BackendTls

Connected = Callable[[socket.socket, "Wire | None"], object]
_NONBLOCK = getattr(socket, "SOCK_NONBLOCK", 0)
_REFUSED = ssl.SSLCertVerificationError


class Dial(Watched):
    """One attempt. It ends with `connected`, given the socket and its TLS if it speaks that, or with `failed`, given why."""

    __slots__ = ("_backend", "_connected", "_failed", "_poller", "_sock", "_wire", "over")

    def __init__(self, poller: Poller, backend: Backend, connected: Connected, failed: Callable[[str], object]) -> None:
        super().__init__(-1)
        self._poller = poller
        self._backend = backend
        self._connected = connected
        self._failed = failed
        self._sock: socket.socket | None = None
        self._wire: Wire | None = None
        self.over = False

    def __repr__(self) -> str:
        return f"<Dial {self._backend}{' TLS' if self._wire else ''}>"

    def start(self, family: int, address: tuple[str, int]) -> None:
        """Dial that address, which is the backend's."""
        try:
            sock = self._sock = socket.socket(family, socket.SOCK_STREAM | _NONBLOCK)
            if not _NONBLOCK:
                sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except BlockingIOError:
            self.fd = sock.fileno()
            self._poller.watch(self, WRITE)
        except OSError as error:
            self.fail(error)
        else:  # on the same machine that takes no time
            self.fd = sock.fileno()
            self._reached()

    def ready(self, events: int) -> None:
        assert self._sock is not None
        if self._wire is not None:
            self._hear(self._sock, self._wire)
            return
        number = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self.fail(OSError(number, os.strerror(number)))
        else:
            self._reached()

    def abandon(self) -> None:
        self.fail(OSError("a defect"))

    def _reached(self) -> None:
        assert self._sock is not None
        if self._backend.tls is None:
            self._succeed(self._sock, None)
        else:
            self._shake(self._sock, self._backend.tls)

    def _shake(self, sock: socket.socket, tls: BackendTls) -> None:
        try:
            self._wire = Wire(tls.context, server_name=tls.verify_host)
        except ValueError as error:  # what no certificate can stand for
            self._end(f"tls: {tls.verify_host}: {error}")
            return
        self._poller.watch(self, READ)
        self._go_on(sock, self._wire, b"")

    def _hear(self, sock: socket.socket, wire: Wire) -> None:
        try:
            data = sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self.fail(error)
            return
        if data:
            self._go_on(sock, wire, data)
        else:
            self._end(f"{self._backend}: tls: EOF")

    def _go_on(self, sock: socket.socket, wire: Wire, data: bytes) -> None:
        try:
            complete = wire.shake(data)
        except ssl.SSLError as problem:
            self._say(sock, wire)  # an alert
            self._end(f"{self._backend}: tls: {problem.verify_message if isinstance(problem, _REFUSED) else problem.reason}")
            return
        if not self._say(sock, wire):
            self._end(f"{self._backend}: tls: it does not read")
        elif complete:
            self._succeed(sock, wire)

    def _say(self, sock: socket.socket, wire: Wire) -> bool:
        """Send what the handshake has to say: a few kilobytes, for which a new socket has room. Whether it could be sent."""
        data = wire.outgoing.read()
        try:
            return not data or sock.send(data) == len(data)
        except OSError:
            return False

    def _succeed(self, sock: socket.socket, wire: Wire | None) -> None:
        self._poller.leave(self)
        self.fd = -1
        self._sock = None
        self.over = True
        self._connected(sock, wire)

    def fail(self, error: OSError | UnicodeError) -> None:
        """It has ended that way."""
        self._end(dial_failure(error, self._backend.host, self._backend.port).text)

    def timed_out(self) -> None:
        """It has taken too long."""
        self.fail(TimeoutError())

    def _end(self, reason: str) -> None:
        self.close()
        self._failed(reason)

    def close(self) -> None:
        """Give it up; nobody is told."""
        self._poller.forget(self)
        self.fd = -1
        self.over = True
        if self._sock is not None:
            self._sock.close()
            self._sock = None
