"""Listeners, their connections, and how they end."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from cfroute.clock import Clock
from cfroute.proxy.deadline import Deadlines
from cfroute.proxy.doorway import Doorway, OneForAll, Terms
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.front import Front
from cfroute.proxy.head import BadRequest
from cfroute.proxy.policy import Policy

_BACKLOG: Final = 4096  # connections that may wait to be accepted


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take. Sizes in bytes, times in seconds, 0 for no limit.

    request_head is the largest request line and headers; head_timeout how long they may take; idle_timeout how long a
    connection may wait for its next request; exchange_timeout how long one attempt may take, bodies included. With half_duplex,
    HTTP/1 clients that are kept get no response before their request's body has been read, as Go's server has it.
    """

    request_head: int = 1 << 20
    head_timeout: float = 0.0
    idle_timeout: float = 900.0
    exchange_timeout: float = 900.0
    half_duplex: bool = False


class Observer:
    """What a proxy is told about connections; by default it does not care."""

    def refused(self, front: Front, refused: BadRequest) -> None:
        """A request was refused before the policy saw it."""

    def cut_short(self, exchange: Exchange, reason: str) -> None:
        """A response could not be finished."""

    def panicked(self, exchange: Exchange, defect: Exception) -> None:
        """A defect came to light while this exchange was served."""
        asyncio.get_running_loop().call_exception_handler({"message": f"{exchange!r} failed", "exception": defect})

    def handshake_failed(self, peer: str, reason: str) -> None:
        """A client (`host:port`) that should have spoken TLS did not get to its first request."""

    def misled(self, reason: str) -> None:
        """A connection was closed because of its PROXY line."""


class ClientConnection(Protocol):
    """What the server asks of a client's connection, whatever it speaks."""

    transport: asyncio.Transport

    @property
    def busy(self) -> bool:
        """Whether a request is being served; tunnels do not count."""

    def drain(self) -> None:
        """Serve what is being served, and nothing after it."""

    def close(self) -> None:
        """Close once what was written has been sent."""

    def idle_timed_out(self) -> None:
        """There was no request for too long."""

    def head_timed_out(self) -> None:
        """The request's head took too long."""


class ProxyServer:
    """The listeners of one proxy and all their connections.

    secure_front makes the protocol of a connection with TLS; without it, those speak HTTP/1 as well.
    """

    def __init__(
        self,
        policy: Policy,
        clock: Clock,
        limits: Limits,
        observer: Observer | None = None,
        secure_front: "Callable[[ProxyServer], asyncio.Protocol] | None" = None,
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.monotonic, self.now_ns = clock.monotonic, clock.now_ns  # asked for each request: looked up once
        self.limits = limits
        self.connections: set[ClientConnection] = set()
        self._observer = observer or Observer()
        self._secure_front = secure_front or _plain_front
        self._listeners: list[asyncio.Server | Doorway] = []
        self._sockets: list[socket.socket] = []
        self._drained: asyncio.Event | None = None
        self.idle: Deadlines[ClientConnection] = Deadlines(limits.idle_timeout, clock, lambda front: front.idle_timed_out())
        self.heads: Deadlines[ClientConnection] = Deadlines(limits.head_timeout, clock, self._head_too_slow)
        self.deadlines: Deadlines[Exchange] = Deadlines(limits.exchange_timeout, clock, Exchange.timed_out)

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | Terms | None = None, *, proxied: bool = False) -> int:
        """Accept connections, with TLS on these terms, and after a line of the PROXY protocol if that may come (`proxied`).

        Returns the port (the one picked, if `port` is 0). Raises OSError.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        await self.serve(listener, tls, proxied=proxied)
        return int(listener.getsockname()[1])

    async def serve(self, listener: socket.socket, tls: ssl.SSLContext | Terms | None = None, *, proxied: bool = False) -> None:
        """The same with a socket that somebody else has made, and that listens already."""
        listener.setblocking(False)
        self._sockets.append(listener)
        terms = OneForAll(tls) if isinstance(tls, ssl.SSLContext) else tls
        if terms is None and not proxied:
            loop = asyncio.get_running_loop()
            self._listeners.append(await loop.create_server(lambda: Front(self).protocol(), sock=listener, backlog=_BACKLOG))
            return
        patience = self.limits.head_timeout
        make = self._secure_front if terms is not None else _plain_front
        doorway = Doorway(lambda: make(self), self._observer, self.clock, terms=terms, proxied=proxied, patience=patience)
        self._listeners.append(doorway)
        await doorway.open(listener, _BACKLOG)

    # What connections report

    def connected(self, front: ClientConnection) -> None:
        self.connections.add(front)
        if self._drained is not None:
            front.close()
            return
        self.idle.add(front)
        if self.limits.head_timeout:
            self.heads.add(front)

    def disconnected(self, front: ClientConnection) -> None:
        self.connections.discard(front)
        self.idle.discard(front)
        self.heads.discard(front)
        self._look_drained()

    def tunnelled(self, front: Front) -> None:
        """Draining does not wait for a connection that has become a tunnel."""
        self._look_drained()

    def head_begun(self, front: Front) -> None:
        """Part of a request's head is there. More of it does not give it more time."""
        if self.limits.head_timeout and front not in self.heads:
            self.heads.add(front)

    def _head_too_slow(self, front: ClientConnection) -> None:
        if not front.busy:
            front.head_timed_out()

    def refused(self, front: Front, refused: BadRequest) -> None:
        self._observer.refused(front, refused)

    def cut_short(self, exchange: Exchange, reason: str) -> None:
        self._observer.cut_short(exchange, reason)

    def panicked(self, exchange: Exchange, defect: Exception) -> None:
        self._observer.panicked(exchange, defect)

    # The end

    @property
    def active(self) -> int:
        """How many requests are being served; tunnels do not count."""
        return sum(1 for front in self.connections if front.busy)

    @property
    def accepts(self) -> bool:
        """Whether all sockets that should listen still do."""
        return all(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for listener in self._sockets)

    def stop_listening(self) -> None:
        """Accept no more connections."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        self._sockets.clear()

    async def drain(self, timeout: float) -> bool:
        """Close the idle connections, and each other one after its current request; False if that took over `timeout` seconds."""
        self._drained = asyncio.Event()
        for front in list(self.connections):
            front.drain()
        self._look_drained()
        try:
            async with asyncio.timeout(timeout):
                await self._drained.wait()
        except TimeoutError:
            return False
        return True

    def _look_drained(self) -> None:
        if self._drained is not None and not any(front.busy for front in self.connections):
            self._drained.set()

    def abort(self) -> None:
        """Cut all connections."""
        self.stop_listening()
        for front in list(self.connections):
            front.transport.abort()


def _plain_front(server: ProxyServer) -> asyncio.Protocol:
    return Front(server).protocol()
