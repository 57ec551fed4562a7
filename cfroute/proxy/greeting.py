"""Our side of a TLS handshake with a backend."""

import asyncio
import ssl

from cfroute.proxy.failure import Failure, Kind, certificate_failure, handshake_failure
from cfroute.proxy.tls_transport import TlsTransport, Wire, shown_chain


class Greeting(asyncio.Protocol):
    """The protocol of a connection from the first byte of the handshake to the last; then it is that of `heir`."""

    def __init__(self, raw: asyncio.Transport, wire: Wire, heir: asyncio.BaseProtocol) -> None:
        self._raw = raw
        self._wire = wire
        self._heir = heir
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def handshake(self) -> None:
        """Greet the server and do what it asks. Raises OSError (that of `ssl`, too)."""
        self._raw.set_protocol(self)
        self._advance(b"")
        await self._done

    def data_received(self, data: bytes) -> None:
        if not self._done.done():
            self._advance(data)

    def _advance(self, data: bytes) -> None:
        wire = self._wire
        try:
            done = wire.shake(data)
        except ssl.SSLError as error:
            self._end(error)
            done = False
        if done:
            self._hand_over()
        elif wire.outgoing.pending:  # the next flight, or an alert
            self._raw.write(wire.outgoing.read())

    def _hand_over(self) -> None:
        """Let the heir begin. In TLS 1.3 our last flight goes with the request, if one comes at once.

        Otherwise a backend that refuses us after that flight might reset the connection before the request is written, and
        the event loop would not read any more why.
        """
        transport = TlsTransport(self._raw, self._wire, {})
        transport.begin(self._heir)
        self._done.set_result(None)
        asyncio.get_running_loop().call_soon(transport.flush)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc if isinstance(exc, OSError) else ConnectionError("EOF"))

    def eof_received(self) -> bool:
        self._end(ConnectionError("EOF"))
        return False

    def _end(self, error: OSError) -> None:
        if not self._done.done():
            self._done.set_exception(error)


async def secure(
    raw: asyncio.Transport, protocol: asyncio.BaseProtocol, context: ssl.SSLContext, name: str, timeout: float, now: float
) -> None:
    """Make TLS with a server called `name` of a new connection, and then give it to `protocol`. Raises Failure.

    timeout in seconds (0: none), now in seconds of the epoch. A connection that fails is closed.
    """
    try:
        name.encode("idna")
    except UnicodeError as error:
        raw.abort()
        text = f"tls: failed to verify certificate: x509: certificate is not valid for {name}"  # nor is any other
        raise Failure(Kind.HOSTNAME_MISMATCH, text) from error
    wire = Wire(context, server_name=name)
    try:
        async with asyncio.timeout(timeout if timeout > 0 else None):
            await Greeting(raw, wire, protocol).handshake()
    except TimeoutError as error:
        raw.abort()
        raise Failure(Kind.HANDSHAKE_TIMEOUT, "net/http: TLS handshake timeout") from error
    except ssl.SSLCertVerificationError as error:
        raw.close()
        shown = shown_chain(wire.tls)
        raise certificate_failure(error, name, shown[0] if shown else b"", now) from error
    except OSError as error:
        failure = handshake_failure(error, _addresses(raw))
        raw.close()
        raise failure from error
    except asyncio.CancelledError:
        raw.abort()
        raise


def _addresses(raw: asyncio.Transport) -> str:
    local, peer = (raw.get_extra_info(name) or ("", 0) for name in ("sockname", "peername"))
    return f"{local[0]}:{local[1]}->{peer[0]}:{peer[1]}"
