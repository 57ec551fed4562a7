"""One connection through a proxy: TLS on the router's side, the same bytes in plain on the app's.

Nothing is kept: who cannot write stops the other side's reading. A side that ends is passed on as an end, and the other
direction goes on.
"""

import asyncio
import ssl
from typing import TYPE_CHECKING, cast

from cfroute.daemon import spawn
from cfroute.diego.cell.tls_session import TLSSession

if TYPE_CHECKING:
    from cfroute.diego.cell.proxy import Proxy

OPENING = 10.0  # s for connecting to the app and the handshake


class Relay(asyncio.Protocol):
    """The router's side, and what both have in common.

    The app is connected to before the handshake, so that a router learns of a dead one before it has sent anything. What
    comes too early from either is kept: one read at most, for then reading stops. (An event loop may read once before that
    is heard.)
    """

    transport: asyncio.Transport

    def __init__(self, proxy: "Proxy") -> None:
        self._proxy = proxy
        self._tls = TLSSession(proxy.context)
        self._app = AppSide(self)
        self._established = asyncio.Event()
        self._early = b""  # from the router, before there was an app
        self._unsaid = b""  # from the app, before the handshake was over
        self._router_ended = self._app_ended = False

    def __repr__(self) -> str:
        phase = "open" if self._tls.established else "opening"
        ended = f"{' router-ended' if self._router_ended else ''}{' app-ended' if self._app_ended else ''}"
        return f"<Relay to {self._proxy.target} {phase}{ended}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._proxy.opened(self)
        self._opening = spawn(self._open(), name="open a relay")

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(OPENING):
                await loop.create_connection(lambda: self._app, *self._proxy.target)
                await self._established.wait()
        except OSError as error:  # a TimeoutError is one, too
            self._proxy.log.debug("relay-not-opened", error=str(error) or "timed out")
            self.abort()

    def abort(self) -> None:
        """Cut it."""
        self.transport.abort()

    # What comes from the router

    def data_received(self, data: bytes) -> None:
        if self._app.transport is None:
            self._early += data
            self.transport.pause_reading()
            return
        try:
            plain = self._tls.receive(data)
        except ssl.SSLError as error:
            self._refuse(error)
            return
        if reply := self._tls.reply():
            self.transport.write(reply)
        if plain:
            self._app.transport.write(plain)
        if self._tls.established and not self._established.is_set():
            self._begin()
        if self._tls.ended:
            self._router_is_done()

    def _refuse(self, error: ssl.SSLError) -> None:
        self._proxy.log.debug("tls-failed", error=error.reason or str(error))
        self.transport.write(self._tls.reply())
        self.transport.close()

    def _begin(self) -> None:
        """The handshake is over."""
        self._established.set()
        if self._unsaid:
            self.transport.write(self._tls.send(self._unsaid))
            self._unsaid = b""
            self._app.resume()
        if self._app_ended:
            self._tell_end()

    def eof_received(self) -> bool:
        if self._tls.established:
            self._router_is_done()
        return self._tls.established  # the app may still have something to say

    def _router_is_done(self) -> None:
        if not self._router_ended:
            self._router_ended = True
            self._app.end()
            self._close_if_over()

    def connection_lost(self, exc: Exception | None) -> None:
        self._opening.cancel()
        self._proxy.closed(self)
        self._app.abort()

    # What comes from the app

    def app_is_there(self) -> None:
        """It can be talked to."""
        if self._early:
            early, self._early = self._early, b""
            self.transport.resume_reading()
            self.data_received(early)

    def send(self, data: bytes) -> None:
        """Pass on what the app says."""
        if self._tls.established:
            self.transport.write(self._tls.send(data))
        else:
            self._unsaid += data
            self._app.pause()

    def app_is_done(self) -> None:
        """The app has said its last word."""
        if not self._app_ended:
            self._app_ended = True
            if self._tls.established:
                self._tell_end()

    def _tell_end(self) -> None:
        """In TLS alone: uvloop's TLS drops what its user has not read yet when the connection below ends."""
        self.transport.write(self._tls.end())
        self._close_if_over()

    def app_is_lost(self) -> None:
        """The app's connection is gone; what it had sent still reaches the router."""
        self.transport.close()

    def _close_if_over(self) -> None:
        if self._router_ended and self._app_ended:
            self.transport.close()
            self._app.close()

    # Back-pressure: who does not take what the other sends stops it

    def pause(self) -> None:
        """Read no more from the router."""
        self.transport.pause_reading()

    def resume(self) -> None:
        """Go on with it."""
        self.transport.resume_reading()

    def pause_writing(self) -> None:
        self._app.pause()

    def resume_writing(self) -> None:
        self._app.resume()


class AppSide(asyncio.Protocol):
    """The app's side of a relay; `transport` is None before it is connected."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._relay.app_is_there()

    def data_received(self, data: bytes) -> None:
        self._relay.send(data)

    def eof_received(self) -> bool:
        self._relay.app_is_done()
        return True  # it may still be listening

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.app_is_lost()

    def end(self) -> None:
        """Tell the app that nothing more comes."""
        if self.transport and not self.transport.is_closing():
            self.transport.write_eof()

    def close(self) -> None:
        """Close the connection once the app has taken everything."""
        if self.transport:
            self.transport.close()

    def abort(self) -> None:
        """Cut the connection, if there is one."""
        if self.transport:
            self.transport.abort()

    def pause(self) -> None:
        """Read no more from the app."""
        if self.transport:
            self.transport.pause_reading()

    def resume(self) -> None:
        """Go on with it."""
        if self.transport:
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        self._relay.pause()

    def resume_writing(self) -> None:
        self._relay.resume()
