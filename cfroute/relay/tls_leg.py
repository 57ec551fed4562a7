"""An end of a relayed connection that speaks TLS: what is sent to it is encrypted, what comes from it is decrypted."""

import contextlib
import os
import socket
import ssl
from typing import Final

from cfroute.proxy.tls_transport import Wire
from cfroute.relay.leg import CHUNK, Leg, Owner, Tools

_MOST_UNSENT: Final = 1 << 20  # bytes that may wait for a peer who makes TLS itself talk (changes of keys) and does not listen


class TlsLeg(Leg):
    """A leg whose handshake is complete; `wire` has its TLS, and may have bytes that came with the end of the handshake."""

    __slots__ = ("_wire",)

    def __init__(self, tools: Tools, owner: Owner, sock: socket.socket, wire: Wire) -> None:
        super().__init__(tools, owner, sock)
        self._wire = wire
        self.visible = True

    def join(self, other: Leg) -> None:
        super().join(other)
        if self._wire.incoming.pending:
            self._decrypt()

    def pull(self) -> bool:
        try:
            data = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            self.owner.broken(self, error)
            return False
        self.owner.active = True
        if not data:  # an end without a word counts as one with: so many do it
            self.finish()
            return False
        self._wire.incoming.write(data)
        self._decrypt()
        if len(data) == CHUNK:
            self._again()
        return True

    def _decrypt(self) -> None:
        """Hand on all records that are complete."""
        pieces, problem, ended = [], None, False
        try:
            while not ended:
                plain = self._wire.tls.read(CHUNK)
                ended = not plain
                pieces.append(plain)
        except ssl.SSLWantReadError:
            self._answer()
        except ssl.SSLError as error:
            problem = error
        data = b"".join(pieces)
        self.received += len(data)
        if data:
            self.other.push(data)
            if self.fd < 0:  # which ended everything
                return
        if problem is not None:
            self._answer()  # an alert of ours
            self.owner.broken(self, problem)
        elif ended and not self.ended:
            self.finish()

    def _answer(self) -> None:
        """Send what TLS itself has to say."""
        if self._wire.outgoing.pending and not self.shut:
            super().push(self._wire.outgoing.read())
            if self.pending is not None and len(self.pending) > _MOST_UNSENT:
                self.owner.broken(self, OSError("it does not read"))

    def push(self, data: bytes) -> None:
        try:
            sent = self._wire.tls.write(data)
            while sent < len(data):  # a record at a time
                sent += self._wire.tls.write(memoryview(data)[sent:])
        except ssl.SSLError as error:
            self.owner.broken(self, error)
            return
        super().push(self._wire.outgoing.read())

    def end(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # it would rather wait for the peer's end
            self._wire.tls.unwrap()
        self._answer()
        super().end()
