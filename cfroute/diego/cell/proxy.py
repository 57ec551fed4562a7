"""The TLS proxy in front of one port of an instance: what Envoy is in Diego's containers.

It shows the instance's certificate, so that a router that finds another instance behind an address notices it; it may ask
the router for its own; and it passes on bytes, whatever they mean.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence

from cfroute.diego.cell.identity import Identity
from cfroute.diego.cell.relay import Relay
from cfroute.errors import cannot_listen
from cfroute.logs import Logger

_ALPN = ["h2", "http/1.1"]
_BACKLOG = 1024


def server_context(identity: Identity, trusted: Sequence[str]) -> ssl.SSLContext:
    """For handshakes with this identity; `trusted` files name who may connect, none lets everybody in. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # routers do not resume sessions
    context.set_alpn_protocols(_ALPN)
    context.load_cert_chain(identity.certificate, identity.key)
    for file in trusted:
        context.load_verify_locations(file)
    if trusted:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Proxy:
    """The proxy of one port. `target` is where the app listens, `context` what the next handshake is made with."""

    def __init__(self, target: tuple[str, int], identity: Identity, trusted: Sequence[str], log: Logger) -> None:
        self.target = target
        self.log = log
        self.context = server_context(identity, trusted)
        self._identity = identity
        self._trusted = trusted
        self._relays: set[Relay] = set()
        self._ended = asyncio.Event()
        self._server: asyncio.Server | None = None
        identity.renewed.append(self._renew)

    def __repr__(self) -> str:
        return f"<Proxy of {self._identity.guid} to {self.target} relays={len(self._relays)}>"

    def _renew(self) -> None:
        """New handshakes show the new certificate; open connections go on."""
        self.context = server_context(self._identity, self._trusted)

    async def listen(self, address: str, port: int) -> None:
        """Take connections. Raises ConfigurationError when the port is taken."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Relay(self), address, port, backlog=_BACKLOG)
        except OSError as error:
            raise cannot_listen(address, port, error) from error

    def opened(self, relay: Relay) -> None:
        """A connection came."""
        self._relays.add(relay)

    def closed(self, relay: Relay) -> None:
        """It is gone."""
        self._relays.discard(relay)
        if not self._relays:
            self._ended.set()

    async def close(self, seconds: float) -> None:
        """Take no new connections, and cut the open ones if they do not end within that time.

        The app is gone by now, but the last that it sent may still be on its way to the router.
        """
        if self._server:
            self._server.close()
        if self._relays:
            self._ended.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), seconds)
        for relay in list(self._relays):
            relay.abort()
