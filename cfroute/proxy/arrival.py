"""A client's connection until its protocol takes over: a line of the PROXY protocol, the TLS hello, the handshake.

    line ──▶ hello ──▶ handshake ──▶ (the protocol's)
      │        │           │
      └────────┴───────────┴───────▶ over: nothing more is heard

Whoever is refused is told why (an alert, or plain HTTP for those who speak that) and gets a moment to read it.
"""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Final, cast

from cfroute.proxy import alerts, client_hello, proxy_line, verification
from cfroute.proxy.client_hello import ClientHello
from cfroute.proxy.tls_transport import TlsTransport, Wire
from cfroute.proxy.wire import address

if TYPE_CHECKING:
    from cfroute.proxy.doorway import Doorway

_PLAIN: Final = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_LOOKS_LIKE_HTTP: Final = (b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO")  # Go's `tlsRecordHeaderLooksLikeHTTP`
_LINGER: Final = 0.5  # seconds that a client gets to read what is wrong


class Arrival(asyncio.Protocol):
    """One connection that has just been accepted. peer is the client's address, by the PROXY line if there is one."""

    __slots__ = ("_buffer", "_door", "_hello", "_raw", "_step", "_wire", "peer")

    _raw: asyncio.Transport
    _wire: Wire

    def __init__(self, door: "Doorway") -> None:
        self._door = door
        self._buffer = b""
        self._hello = ClientHello()
        self._step = self._line if door.proxied else self._greet

    def __repr__(self) -> str:
        return f"<Arrival {self.address} {self._step.__name__.strip('_')}>"

    @property
    def address(self) -> str:
        """The client's, as text."""
        return address(*self.peer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or ("", 0)
        self.peer: tuple[str, int] = name[0], name[1]
        self._door.arrived(self)

    def data_received(self, data: bytes) -> None:
        if self._step is not _over:
            self._buffer = self._buffer + data if self._buffer else data
            self._step()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(f"read tcp {self._addresses()}: read: connection reset by peer" if exc is not None else "EOF")

    def eof_received(self) -> bool:
        self._lost("EOF")
        return False

    def _lost(self, reason: str) -> None:
        if self._step is not _over:
            self._end()
            if self._door.terms is not None:
                self._door.failed(self, reason)

    def _addresses(self) -> str:
        local = self._raw.get_extra_info("sockname") or ("", 0)
        return f"{local[0]}:{local[1]}->{self.address}"

    # A line of the PROXY protocol

    def _line(self) -> None:
        try:
            beginning = proxy_line.read(self._buffer)
        except proxy_line.BadLineError as bad:
            self._mislead(str(bad))
            return
        if beginning is not None:
            self._buffer = self._buffer[beginning.length :]
            self._enter(beginning.source)

    def line_timed_out(self) -> None:
        """No line came in time: who has not begun one does without."""
        if self._buffer.startswith(proxy_line.PREFIX):
            self._mislead(f"read tcp {self._addresses()}: i/o timeout")
        else:
            self._enter(None)

    def _mislead(self, reason: str) -> None:
        self._end()
        self._door.misled(reason)
        self._raw.close()

    def _enter(self, source: tuple[str, int] | None) -> None:
        """Go on behind the line, with the client that it names."""
        door = self._door
        if source is not None:
            self.peer = source
        if door.terms is not None:
            self._step = self._greet
            door.shakes(self)
            if self._buffer:
                self._greet()
            return
        self._end()
        protocol = door.make()
        self._raw.set_protocol(protocol)
        protocol.connection_made(cast(asyncio.Transport, Introduced(self._raw, source)) if source else self._raw)
        if self._buffer:
            protocol.data_received(self._buffer)

    # The hello

    def _greet(self) -> None:
        data, terms = self._buffer, self._door.terms
        if len(data) < 5 or terms is None:
            return
        if data[:5] in _LOOKS_LIKE_HTTP:
            self._refuse(_PLAIN, "client sent an HTTP request to an HTTPS server")
            return
        if not client_hello.is_record(data):
            self._refuse(b"", "tls: first record does not look like a TLS handshake")
            return
        hello = client_hello.read(data)
        if hello is None:
            return
        self._hello = hello
        try:
            context = terms.context(hello)
        except alerts.RefusedError as refused:
            self._refuse(alerts.record(refused.alert), str(refused))
            return
        self._wire = Wire(context, server_side=True)
        self._wire.tls.server_name = hello.server_name
        self._step = self._shake
        self._shake()

    # The handshake

    def _shake(self) -> None:
        data, self._buffer = self._buffer, b""
        wire = self._wire
        try:
            done = wire.shake(data)
        except ssl.SSLError as error:
            self._refuse(self._last_words(error), self._problem(error))
            return
        if done:
            self._shaken(wire)
        elif wire.outgoing.pending:
            self._raw.write(wire.outgoing.read())

    def _shaken(self, wire: Wire) -> None:
        door = self._door
        try:
            assert door.terms is not None
            door.terms.check(wire.tls)
        except alerts.RefusedError as refused:
            self._refuse(self._too_late(refused), str(refused))
            return
        self._end()
        transport = TlsTransport(self._raw, wire, {"peername": self.peer})
        transport.flush()
        transport.begin(door.make())

    def _last_words(self, error: ssl.SSLError) -> bytes:
        """The alert that OpenSSL has made; Go has another one for a missing certificate up to TLS 1.2."""
        words = self._wire.outgoing.read()
        if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE" and words == alerts.record(alerts.HANDSHAKE_FAILURE):
            return alerts.record(alerts.BAD_CERTIFICATE)
        return words

    def _too_late(self, refused: alerts.RefusedError) -> bytes:
        """What to send to a client that OpenSSL would have let in.

        Up to TLS 1.2 the alert takes the place of the handshake's last flight. Later it would have to be encrypted, which only
        OpenSSL can do, and it knows of no reason: then the connection only ends.
        """
        if self._wire.tls.version() != "TLSv1.3":
            return alerts.record(refused.alert)
        return b""

    def _problem(self, error: ssl.SSLError) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return verification.text(error.verify_code, error.verify_message)
        if error.reason == "UNSUPPORTED_PROTOCOL":
            return f"tls: client offered only unsupported versions: [{' '.join(f'{v:x}' for v in self._hello.versions)}]"
        return alerts.text(error.reason, str(error))

    # The end

    def shake_timed_out(self) -> None:
        """The handshake took too long."""
        self._refuse(b"", f"read tcp {self._addresses()}: i/o timeout")

    def _refuse(self, words: bytes, reason: str) -> None:
        self._end()
        self._door.failed(self, reason)
        if words:
            self._raw.write(words)
            self._raw.write_eof()
            # What it sends meanwhile would make the kernel reset the connection once it is closed: first it gets to read.
            self._door.clock.call_later(_LINGER, self._raw.close)
        else:
            self._raw.close()

    def _end(self) -> None:
        self._step = _over  # not a method: it would hold us, and the TLS of what has gone on, until somebody looks for cycles
        self._door.gone(self)

    def abort(self) -> None:
        """End without a word."""
        self._end()
        self._raw.abort()


def _over() -> None:
    """Nobody listens any more."""


class Introduced:
    """A transport of somebody who was introduced by a PROXY line: the same, but for the name of the peer."""

    __slots__ = (
        "_peer", "_raw", "abort", "can_write_eof", "close", "get_protocol", "get_write_buffer_size", "is_closing", "is_reading",
        "pause_reading", "resume_reading", "set_protocol", "set_write_buffer_limits", "write", "write_eof", "writelines",
    )  # fmt: skip

    def __init__(self, raw: asyncio.Transport, peer: tuple[str, int]) -> None:
        self._raw = raw
        self._peer = peer
        for name in self.__slots__[2:]:
            setattr(self, name, getattr(raw, name))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the transport's, with the peer that was named."""
        return self._peer if name == "peername" else self._raw.get_extra_info(name, default)
