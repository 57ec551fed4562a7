"""A backend that may speak HTTP/2."""

import asyncio
import ssl
from dataclasses import replace

from cfroute.http2.backend import Http2Backend
from cfroute.http2.backend_stream import BackendStream
from cfroute.http2.negotiation import BackendChoice
from cfroute.proxy.backend import Backend, Destination
from cfroute.proxy.failure import Failure
from cfroute.proxy.sides import BackendSide


class Http2Destination(Destination):
    """An address that is reached over TLS and chooses between HTTP/2 and HTTP/1.1.

    Requests share the connections that speak HTTP/2, as far as these have room; while one is dialled, others wait for what comes
    of it. `http1` is the same address for requests that must not use HTTP/2, and has everything but the context.
    """

    __slots__ = ("_dialling", "_http1", "_shared", "connections")

    def __init__(self, http1: Destination, context: ssl.SSLContext) -> None:
        super().__init__(
            http1.host,
            http1.port,
            context=context,
            name=http1.name,
            max_idle=http1.max_idle,
            idle_seconds=http1.idle_seconds,
            dial_timeout=http1.dial_timeout,
            handshake_timeout=http1.handshake_timeout,
            probe_interval=http1.probe_interval,
            response_limit=http1.response_limit,
            clock=http1.clock,
            kept=http1._kept,
        )
        self._http1 = http1
        self.connections: list[Http2Backend] = []
        self._dialling: asyncio.Future[Failure | None] | None = None
        self._shared = self.max_idle > 0  # whether several requests can expect to use the connection that is dialled

    @property
    def without_http2(self) -> Destination:
        return self._http1

    def take(self) -> BackendSide | None:
        """A new stream of an open connection, or an idle connection that speaks HTTP/1.1."""
        for connection in self.connections:
            if connection.has_room:
                return BackendStream(connection)
        return super().take() if self.idle else None

    async def dial(self) -> BackendSide:
        """A stream, or a connection that speaks HTTP/1.1. Raises Failure."""
        while self._dialling is not None and self._shared:
            failure = await asyncio.shield(self._dialling)
            if failure is not None:
                raise replace(failure)
            taken = self.take()
            if taken is not None:
                return taken
        outcome: asyncio.Future[Failure | None] = asyncio.get_running_loop().create_future()
        self._dialling = outcome
        try:
            return await super().dial()
        except Failure as failure:
            outcome.set_result(failure)
            raise
        finally:
            if self._dialling is outcome:
                self._dialling = None
            if not outcome.done():
                outcome.set_result(None)

    async def _secure(self, backend: Backend, context: ssl.SSLContext) -> BackendSide:
        choice = BackendChoice(self, backend)
        await self._shake_hands(backend, choice, context)
        self._shared = choice.connection is not None and self.max_idle > 0
        return backend if choice.connection is None else BackendStream(choice.connection)

    def add(self, connection: Http2Backend) -> None:
        """A connection is open."""
        self.connections.append(connection)
        self._kept.add(self)

    def forget(self, connection: Http2Backend) -> None:
        """This connection takes no new streams."""
        if connection in self.connections:
            self.connections.remove(connection)

    def expire(self, now: float) -> None:
        """Close what has been idle for too long."""
        super().expire(now)
        for connection in list(self.connections):
            connection.expire(now, self.idle_seconds)
        if self.connections:
            self._kept.add(self)

    def close(self) -> None:
        """Close what is idle; what is not ends with its last stream."""
        super().close()
        for connection in list(self.connections):
            connection.retire()
