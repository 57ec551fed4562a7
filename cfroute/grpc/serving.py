"""A listener for calls over mutual TLS, and its connections."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from cfroute.clock import Clock
from cfroute.errors import ConfigurationError, cannot_listen
from cfroute.grpc.server_connection import Handler, ServerConnection, ServerStream
from cfroute.proxy.deadline import Deadlines
from cfroute.proxy.doorway import Doorway, OneForAll

_PATIENCE: Final = 10.0  # seconds for a handshake, for the greeting behind it, and for a request to come to its end
_MOST_CONNECTIONS: Final = 1000  # when there are more, the one that has not been used for longest is closed
_GRACE: Final = 2.0  # seconds that calls get to finish when the server ends
_BACKLOG: Final = 128


class Server:
    """Answers calls: `methods` are the handlers by path, `/package.Service/Method`."""

    def __init__(self, methods: Mapping[str, Handler], clock: Clock, refused: Callable[[str, str], object]) -> None:
        """`refused` is told of each client (`host:port`) that was not let in, and why."""
        self.methods = methods
        self.services = {path.removeprefix("/").rpartition("/")[0] for path in methods}
        self.clock = clock
        self.requests: Deadlines[ServerStream] = Deadlines(_PATIENCE, clock, ServerStream.timed_out)
        self._greetings: Deadlines[ServerConnection] = Deadlines(_PATIENCE, clock, ServerConnection.abort)
        self._connections: dict[ServerConnection, None] = {}  # the one that was used last at the end
        self._gone = asyncio.Event()  # meaningful while it drains
        self._refused = refused

    # What a doorway tells

    def handshake_failed(self, peer: str, reason: str) -> None:
        """A client was not let in."""
        self._refused(peer, reason)

    def misled(self, reason: str) -> None:
        """Never: nobody is introduced here."""

    # What connections tell

    def connected(self, connection: ServerConnection) -> None:
        """Somebody is let in."""
        self._connections[connection] = None
        self._greetings.add(connection)
        if len(self._connections) > _MOST_CONNECTIONS:
            next(iter(self._connections)).drain()

    def greeted(self, connection: ServerConnection) -> None:
        """It speaks HTTP/2."""
        self._greetings.discard(connection)

    def used(self, connection: ServerConnection) -> None:
        """A call has begun."""
        if self._connections.pop(connection, True) is None:
            self._connections[connection] = None

    def disconnected(self, connection: ServerConnection) -> None:
        """It is gone."""
        self._connections.pop(connection, None)
        self._greetings.discard(connection)
        if not self._connections:
            self._gone.set()

    # The end

    async def drain(self) -> None:
        """Take no more calls; return when those under way are finished, or have had their time."""
        self._gone.clear()
        for connection in list(self._connections):
            connection.drain()
        if not self._connections:
            self._gone.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._gone.wait()
        for connection in list(self._connections):
            connection.abort()
        self._greetings.stop()
        self.requests.stop()


def tls_context(certificate: str, key: str, client_ca: str) -> ssl.SSLContext:
    """TLS from 1.2 on, for clients with a certificate of `client_ca` only. Raises ConfigurationError for unusable files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(client_ca)
    except OSError as error:  # SSLError is one
        raise ConfigurationError(f"the certificates {certificate}, {key}, {client_ca} cannot be used: {error}") from error
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context


@contextlib.asynccontextmanager
async def serving(server: Server, host: str, port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve while the block runs; yields the port (the one picked, when `port` is 0).

    Raises ConfigurationError when the address cannot be bound.
    """

    def connection() -> asyncio.Protocol:
        return ServerConnection(server).protocol()

    door = Doorway(connection, server, server.clock, terms=OneForAll(context), patience=_PATIENCE)
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise cannot_listen(host, port, error) from error
    listener.setblocking(False)
    with contextlib.closing(listener):
        await door.open(listener, _BACKLOG)
        try:
            yield listener.getsockname()[1]
        finally:
            door.close()
            await server.drain()
