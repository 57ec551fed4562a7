"""The TLS of one connection, as bytes in and bytes out.

The event loop's own TLS transports cannot end one direction and go on with the other, as a relay has to, and each of them
holds a quarter of a megabyte. This one holds what OpenSSL does.
"""

import contextlib
import ssl
from collections.abc import Iterator

RECORD = 16 * 1024  # the most that one record holds


class TLSSession:
    """The server's side. `established` once the handshake is over; `ended` once the other side has said its last word."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "ended", "established")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.ended = False

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the wire; the plain ones that they make. Raises ssl.SSLError, also for a client that is refused."""
        self._incoming.write(data)
        if not (self.established or self._shake_hands()):
            return b""
        pieces = list(self._records())
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def send(self, data: bytes) -> bytes:
        """The bytes for the wire that carry the plain `data`."""
        sent = self._tls.write(data)
        while sent < len(data):
            sent += self._tls.write(data[sent:])
        return self._outgoing.read()

    def end(self) -> bytes:
        """The bytes for the wire that say that nothing more comes from here."""
        with contextlib.suppress(ssl.SSLError):  # it also wants to read the other side's last word, which comes when it comes
            self._tls.unwrap()
        return self._outgoing.read()

    def reply(self) -> bytes:
        """What TLS itself has to say after `receive`: a part of the handshake, or an alert."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def _shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def _records(self) -> Iterator[bytes]:
        try:
            while self._incoming.pending:
                data = self._tls.read(RECORD)
                if not data:
                    self.ended = True
                    return
                yield data
        except ssl.SSLWantReadError:  # the rest of the record is still to come
            return
        except ssl.SSLZeroReturnError:
            self.ended = True
