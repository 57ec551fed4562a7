"""A listener whose clients are looked at before their protocol begins: for TLS, and for the PROXY protocol.

A plain listener without either needs none of this: the event loop hands its connections straight to their protocol.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol

from cfroute.clock import Clock
from cfroute.proxy.arrival import Arrival
from cfroute.proxy.client_hello import ClientHello
from cfroute.proxy.deadline import Deadlines

_LINE: Final = 0.1  # seconds that a line of the PROXY protocol may take; upstream's
_PATIENCE: Final = 60.0  # seconds that a handshake may take; upstream has no limit of its own here


class Terms(Protocol):
    """Who is let in, and how: what a TLS listener asks its owner."""

    def context(self, hello: ClientHello) -> ssl.SSLContext:
        """The context for the client with this hello. Raises RefusedError."""

    def check(self, tls: ssl.SSLObject) -> None:
        """Look at a client whose handshake is complete. Raises RefusedError."""


class OneForAll:
    """The terms of a listener with one context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def context(self, hello: ClientHello) -> ssl.SSLContext:
        """The same for everybody."""
        return self._context

    def check(self, tls: ssl.SSLObject) -> None:
        """OpenSSL has checked all there is to check."""


class Watcher(Protocol):
    """Who wants to know what became of those that were not let in."""

    def handshake_failed(self, peer: str, reason: str) -> None:
        """A client (`host:port`) that should have spoken TLS did not get to its first request."""

    def misled(self, reason: str) -> None:
        """A connection was closed because of its PROXY line."""


class Doorway:
    """The connections of one listening socket between their beginning and their first request.

    terms is None on a plain listener; proxied tells whether a PROXY line may come first. make makes the protocol of a
    connection that is let in.
    """

    def __init__(
        self,
        make: Callable[[], asyncio.Protocol],
        watcher: Watcher,
        clock: Clock,
        *,
        terms: Terms | None = None,
        proxied: bool = False,
        patience: float = 0.0,
    ) -> None:
        self.make = make
        self.clock = clock
        self.terms = terms
        self.proxied = proxied
        self._watcher = watcher
        self._lines: Deadlines[Arrival] = Deadlines(_LINE, clock, Arrival.line_timed_out)
        self._shakes: Deadlines[Arrival] = Deadlines(patience or _PATIENCE, clock, Arrival.shake_timed_out)
        self._waiting: set[Arrival] = set()
        self._server: asyncio.Server | None = None

    async def open(self, listener: socket.socket, backlog: int) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Arrival(self), sock=listener, backlog=backlog)

    def close(self) -> None:
        """Accept no more; those who are not in yet are not waited for."""
        if self._server is not None:
            self._server.close()
        for arrival in list(self._waiting):
            arrival.abort()

    # What arrivals report

    def arrived(self, arrival: Arrival) -> None:
        """Somebody has connected."""
        self._waiting.add(arrival)
        (self._lines if self.proxied else self._shakes).add(arrival)

    def shakes(self, arrival: Arrival) -> None:
        """Its line is there, or there is none: the handshake begins."""
        self._lines.discard(arrival)
        self._shakes.add(arrival)

    def gone(self, arrival: Arrival) -> None:
        """It is in, or it is out."""
        self._waiting.discard(arrival)
        self._lines.discard(arrival)
        self._shakes.discard(arrival)

    def failed(self, arrival: Arrival, reason: str) -> None:
        self._watcher.handshake_failed(arrival.address, reason)

    def misled(self, reason: str) -> None:
        self._watcher.misled(reason)
