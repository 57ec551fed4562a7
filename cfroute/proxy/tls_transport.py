"""TLS as a transport between the event loop's and a protocol: a record's bytes in, its plain text out, and back.

The event loop has one of its own (`ssl=`). This one costs half as much CPU a message, says how a handshake failed before it hangs
up, and can be handed a connection that has already been looked at. It only knows connections after their handshake; those are
made in `arrival` (clients) and `greeting` (backends).
"""

import asyncio
import contextlib
import ssl
from typing import Any, Final, cast

_RECORD: Final = 1 << 14  # bytes of plain text in a record, at most
_MOST_UNSENT: Final = 1 << 20  # bytes that may wait for a peer who makes TLS itself talk (changes of keys) and does not listen
_DER: Final = 2  # `_ssl.ENCODING_DER`


class PeerTls(ssl.SSLObject):
    """The TLS of one connection; server_name is what a client asked for, in lower case (empty: nothing)."""

    server_name: str = ""


class Wire:
    """One end's TLS state with what has come from the network and what is to go there."""

    __slots__ = ("incoming", "outgoing", "tls")

    def __init__(self, context: ssl.SSLContext, *, server_name: str | None = None, server_side: bool = False) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        context.sslobject_class = PeerTls
        tls = context.wrap_bio(self.incoming, self.outgoing, server_side=server_side, server_hostname=server_name)
        self.tls = cast(PeerTls, tls)

    def shake(self, data: bytes = b"") -> bool:
        """Go on with the handshake, after these bytes have come; whether it is complete. Raises OSError (of `ssl`)."""
        self.incoming.write(data)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


class TlsTransport:
    """The encrypted side of one connection: the protocol of `raw`, and the transport of the protocol that `begin` is given.

    extra overrides what `raw` would say about the connection (`peername`, …). It has the methods of asyncio.Protocol and
    asyncio.Transport, but does not derive from them: that would keep it from being compiled.
    """

    __slots__ = ("_closing", "_extra", "_incoming", "_outgoing", "_protocol", "_raw", "_read", "_reason", "_tls", "_write")

    def __init__(self, raw: asyncio.Transport, wire: Wire, extra: dict[str, Any]) -> None:
        self._raw = raw
        self._tls = wire.tls
        self._incoming, self._outgoing = wire.incoming, wire.outgoing
        self._read, self._write = wire.tls.read, wire.tls.write
        self._extra = {"ssl_object": wire.tls, **extra}
        self._protocol: Any = None
        self._closing = False
        self._reason: Exception | None = None  # what ended it, if that was not the network

    def __repr__(self) -> str:
        return f"<TlsTransport {self._tls.version()} {'closing' if self._closing else 'open'}>"

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Take over `raw` for this protocol, which is told at once, also of what has come with the end of the handshake."""
        self.set_protocol(protocol)
        self._raw.set_protocol(cast(asyncio.Protocol, self))
        protocol.connection_made(cast(asyncio.Transport, self))
        if self._incoming.pending:
            self.data_received(b"")

    # From the network

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        size = len(data)
        try:
            plain = self._read(size if 0 < size < _RECORD else _RECORD)
        except ssl.SSLWantReadError:
            self.flush()  # an answer to something like a change of keys
            return
        except ssl.SSLError as error:
            self._broken(error)
            return
        if not plain:
            self._ended()
        elif self._incoming.pending or self._tls.pending():
            self._several(plain)
        else:  # one record: the common case
            self._protocol.data_received(plain)

    def _several(self, first: bytes) -> None:
        """Hand all records that are complete over together."""
        pieces, problem, ended = [first], None, False
        try:
            while self._incoming.pending or self._tls.pending():
                plain = self._read(_RECORD)
                if not plain:
                    ended = True
                    break
                pieces.append(plain)
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLError as error:
            problem = error
        self._protocol.data_received(b"".join(pieces))
        if problem is not None:
            self._broken(problem)
        elif ended:
            self._ended()

    def _ended(self) -> None:
        """The other end has said that nothing more comes."""
        if not self._protocol.eof_received():
            self.close()

    def _broken(self, error: ssl.SSLError) -> None:
        """The other end sent an alert, or what is no TLS; an alert of ours may wait to be sent."""
        self._reason = error
        self._closing = True
        self.flush()
        self._raw.close()

    def eof_received(self) -> bool:
        """Go takes an end without a word for one with: so many do it."""
        return bool(self._protocol.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        protocol, self._protocol = self._protocol, None  # which has us: no cycle is to keep the TLS of closed connections
        protocol.connection_lost(self._reason or exc)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    # From the protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        try:
            sent = self._write(data)
            while sent < len(data):  # a record at a time
                data = memoryview(data)[sent:]
                sent = self._write(data)
        except ssl.SSLError as error:
            self._broken(error)
            return
        self._raw.write(self._outgoing.read())

    def flush(self) -> None:
        """Send what TLS itself has to say."""
        if self._outgoing.pending and not self._raw.is_closing():
            self._raw.write(self._outgoing.read())
            if self._raw.get_write_buffer_size() > _MOST_UNSENT:
                self.abort()

    def _farewell(self) -> None:
        """Say that nothing more comes."""
        with contextlib.suppress(ssl.SSLError):  # OpenSSL would rather wait for the other end's; Go does not
            self._tls.unwrap()
        self.flush()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._farewell()
        self._raw.close()

    def abort(self) -> None:
        self._closing = True
        self._raw.abort()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._closing:
            self._closing = True
            self._farewell()
            self._raw.write_eof()

    def is_closing(self) -> bool:
        return self._raw.is_closing()

    def pause_reading(self) -> None:
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._raw.resume_reading()

    def is_reading(self) -> bool:
        return self._raw.is_reading()

    def get_write_buffer_size(self) -> int:
        return self._raw.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._raw.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._extra[name] if name in self._extra else self._raw.get_extra_info(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol


def shown_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates (DER) that the other end has sent, its own first; also when they were refused."""
    return _chain(tls, "get_unverified_chain")


def verified_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates (DER) from the other end's to one that is trusted. A resumed session has none."""
    return _chain(tls, "get_verified_chain")


def _chain(tls: ssl.SSLObject, name: str) -> list[bytes]:
    if hasattr(tls, name):  # Python 3.13
        return list(getattr(tls, name)())
    internal = tls._sslobj  # type: ignore[attr-defined]
    return [certificate.public_bytes(_DER) for certificate in getattr(internal, name)() or ()]
