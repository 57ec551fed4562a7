"""Calls to one server, on a connection that is made when it is needed, and made anew when it is lost."""

import asyncio
import ssl
from typing import Final

from cfroute.clock import Clock
from cfroute.errors import ConfigurationError
from cfroute.go.quoting import quote
from cfroute.grpc import wire
from cfroute.grpc.client_connection import ClientConnection
from cfroute.grpc.status import Code, RpcError
from cfroute.proxy import greeting
from cfroute.proxy.failure import Failure, Kind, dial_failure

Metadata = tuple[tuple[str, str], ...]

_DIAL: Final = 5.0  # seconds for a connection with its handshake
_FIRST_PAUSE: Final = 0.1  # seconds before the second attempt; each next pause is twice as long
_LONGEST_PAUSE: Final = 1.0
_TOO_LATE: Final = "context deadline exceeded"


class Channel:
    """Calls the server at `address` (`host:port`) over TLS."""

    def __init__(self, address: str, context: ssl.SSLContext, clock: Clock) -> None:
        """Raises ConfigurationError for an address that is none."""
        context.set_alpn_protocols(["h2"])
        host, _, port = address.rpartition(":")
        if not (host and port.isdecimal() and int(port) < 1 << 16):
            raise ConfigurationError(f"{address} is no address: HOST:PORT is one")
        self._address = address
        self._host = host.removeprefix("[").removesuffix("]")
        self._port = int(port)
        self._context = context
        self._clock = clock
        self._connection: ClientConnection | None = None
        self._dialling = asyncio.Lock()
        self._problem = ""  # why there was no connection the last time

    def __repr__(self) -> str:
        return f"<Channel {self._address} {self._connection}>"

    async def connect(self, timeout: float) -> None:
        """Have a connection, and try for so many seconds. Raises RpcError."""
        try:
            async with asyncio.timeout(timeout):
                await self._connected(wait_for_ready=True)
        except TimeoutError as error:
            raise RpcError(Code.DEADLINE_EXCEEDED, f"{_TOO_LATE}: {self._problem}") from error

    async def call(
        self, method: str, message: bytes, *, metadata: Metadata = (), timeout: float | None = None, wait_for_ready: bool = False
    ) -> bytes:
        """The answer to `message`. Raises RpcError.

        timeout is in seconds. A call that does not wait for a server that is not there fails at once.
        """
        connection = None
        try:
            async with asyncio.timeout(timeout):
                connection = await self._connected(wait_for_ready=wait_for_ready)
                head = wire.request_block(method, self._address, timeout, metadata)
                return await connection.call(head, message)
        except TimeoutError as error:
            if connection is not None and connection.usable:
                connection.close()  # who does not answer may be gone without a word: the next call begins anew
            raise RpcError(Code.DEADLINE_EXCEEDED, _TOO_LATE) from error

    async def _connected(self, *, wait_for_ready: bool) -> ClientConnection:
        pause = _FIRST_PAUSE
        async with self._dialling:
            while self._connection is None or not self._connection.usable:
                try:
                    self._connection = await self._dial()
                except Failure as failure:
                    self._problem = f"connection error: desc = {quote(failure.text)}"
                    if not wait_for_ready:
                        raise RpcError(Code.UNAVAILABLE, self._problem) from failure
                    await self._clock.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
            return self._connection

    async def _dial(self) -> ClientConnection:
        """A new connection. Raises Failure."""
        connection = ClientConnection()
        try:
            async with asyncio.timeout(_DIAL):
                raw, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, self._host, self._port)
        except (OSError, UnicodeError) as error:
            raise dial_failure(error, self._host, self._port) from error
        await greeting.secure(raw, connection.protocol(), self._context, self._host, _DIAL, self._clock.now())
        try:
            async with asyncio.timeout(_DIAL):
                await connection.ready
        except TimeoutError as error:
            connection.close()
            raise Failure(Kind.TIMEOUT, "the server does not speak HTTP/2") from error
        except asyncio.CancelledError:
            connection.close()
            raise
        if not connection.usable:
            raise Failure(Kind.EOF, "the server is going away")
        return connection

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None and self._connection.usable:
            self._connection.close()
