"""One connection through a proxy: TLS on the router's side, the same bytes in plain on the app's.

    app is reached ──▶ handshake ──▶ open ──▶ over
          └───────────────┴─────────────────────▲

Nothing is kept: who cannot write stops the other side's reading. An end that ends is passed on, and the other direction goes on.
"""

import asyncio
import socket
import ssl
from typing import Protocol, cast

from cfroute.daemon import spawn
from cfroute.logs import Logger
from cfroute.proxy.tls_transport import TlsTransport, Wire

OPENING = 10.0  # s for reaching the app and the handshake


class Proxy(Protocol):
    """What a connection knows of the proxy that has taken it."""

    target: tuple[str, int]
    context: ssl.SSLContext
    log: Logger

    def opened(self, relay: "Relay") -> None: ...

    def closed(self, relay: "Relay") -> None: ...


class Relay(asyncio.Protocol):
    """A connection from its first byte to the end of the handshake; then it is a matter of its two ends.

    The app is reached before the handshake, so that a router learns of a dead one before it has sent anything.
    """

    _raw: asyncio.Transport
    _transport: asyncio.Transport  # the same, or once it is open the one that encrypts
    _opening: "asyncio.Task[None]"

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._wire = Wire(proxy.context, server_side=True)
        self._early: bytes | None = b""  # what came before the app was reached; then None
        self._shaken = asyncio.Event()
        self._refused = False

    def __repr__(self) -> str:
        return f"<Relay to {self._proxy.target}{' shaken' if self._shaken.is_set() else ''}{' refused' if self._refused else ''}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = self._transport = cast(asyncio.Transport, transport)
        self._proxy.opened(self)
        self._opening = spawn(self._open(), name="open a relay")

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(OPENING):
                await self._connect()
        except OSError as error:  # a TimeoutError is one, too
            self._proxy.log.debug("relay-not-opened", error=str(error) or "timed out")
            self.abort()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as app:
            app.setblocking(False)
            await loop.sock_connect(app, self._proxy.target)
            early, self._early = self._early, None
            self._raw.resume_reading()
            self._advance(early or b"")
            await self._shaken.wait()
            await loop.create_connection(lambda: AppEnd(self), sock=app.dup())

    def data_received(self, data: bytes) -> None:
        if self._early is not None:
            self._early += data
            self._raw.pause_reading()
        elif not self._refused:
            self._advance(data)

    def _advance(self, data: bytes) -> None:
        try:
            done = self._wire.shake(data)
        except ssl.SSLError as error:
            self._refuse(error)
            return
        if self._wire.outgoing.pending:
            self._raw.write(self._wire.outgoing.read())
        if done:
            self._raw.pause_reading()
            self._shaken.set()

    def _refuse(self, error: ssl.SSLError) -> None:
        """Tell why, and leave it to the router to hang up: if it is still sending, it would not read the reason any more."""
        self._proxy.log.debug("tls-failed", error=error.reason or str(error))
        self._refused = True
        self._raw.write(self._wire.outgoing.read())
        self._raw.write_eof()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._opening.cancel()
        self._proxy.closed(self)

    def begin(self, app: "AppEnd") -> None:
        """The app's end is there."""
        if self._raw.is_closing():  # the router has not waited for it
            app.transport.abort()
            return
        router = RouterEnd(self._proxy, self)
        router.other, app.other = app, router
        secured = TlsTransport(self._raw, self._wire, {})
        self._transport = cast(asyncio.Transport, secured)
        secured.begin(router)
        self._raw.resume_reading()

    def finish(self) -> None:
        """The app is gone; what it has sent still reaches the router."""
        self._transport.close()

    def abort(self) -> None:
        """Cut it, in whatever state it is."""
        self._raw.abort()


class End(asyncio.Protocol):
    """One end of an open relay: what comes here goes to the other one."""

    transport: asyncio.Transport
    other: "End"
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def eof_received(self) -> bool:
        if not self.ended:  # who pauses and resumes after it hears it again
            self.ended = True
            if not self.other.transport.is_closing():
                self.other.transport.write_eof()
            if self.other.ended:
                self.transport.close()
                self.other.transport.close()
        return True

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()


class RouterEnd(End):
    """The router's."""

    def __init__(self, proxy: Proxy, relay: Relay) -> None:
        self._proxy = proxy
        self._relay = relay

    def connection_lost(self, exc: Exception | None) -> None:
        self._proxy.closed(self._relay)
        if not self.other.transport.is_closing():
            self.other.transport.abort()


class AppEnd(End):
    """The app's. It is not read before the router's is there."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._relay.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.finish()
