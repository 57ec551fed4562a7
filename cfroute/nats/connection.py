"""One connection to a NATS server: the greeting, TLS on the way, and then lines and messages as they come."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from cfroute.nats import wire

_AUTHENTICATION: Final = ("nats: authorization violation", "nats: user authentication", "nats: account authentication")

_READ_AT_ONCE: Final = 64 * 1024  # bytes: not more messages than are handled in one turn of the event loop


class Refused(Exception):
    """The server does not want us, or is none; the message is that of upstream's client."""

    @property
    def is_about_credentials(self) -> bool:
        """Whether it will be the same next time."""
        return str(self).lower().startswith(_AUTHENTICATION)


class Owner(Protocol):
    """Whoever has the connection."""

    def introduction(self, info: wire.Info, *, secure: bool) -> bytes:
        """What to say after the server's greeting."""

    def informed(self, info: wire.Info) -> None:
        """The server tells of its cluster."""

    def received(self, messages: list[wire.Message]) -> None:
        """Messages, in order."""

    def complained(self, text: str) -> None:
        """The server reports an error."""

    def ponged(self) -> None:
        """The server is there."""

    def lost(self, error: str) -> None:
        """An established connection has ended, and not by `close`."""


class Connection(asyncio.BufferedProtocol):
    """A connection that is opened once and ends once."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._parser = wire.Parser()
        self._buffer = memoryview(bytearray(_READ_AT_ONCE))
        self._transport: Any = None
        self._answer: asyncio.Future[wire.Control] | None = None
        self._greeting = True  # the first line is still to come
        self._established = False
        self._ended = False
        self._error = ""
        self._unsent: list[bytes] = []
        self.peer = ""
        """`ip:port` of the server."""
        self.info = wire.Info()

    # Opening

    async def open(self, host: str, port: int, context: Callable[[wire.Info], ssl.SSLContext | None], name: str) -> None:
        """Connect, greet, and be accepted. `name` is what the certificate has to say. Raises Refused or OSError."""
        try:
            await self._greet(host, port, context, name)
            if self._ended:
                raise Refused(self._error)
        except BaseException:
            if self._transport is not None:
                self._transport.abort()
            raise
        self._established = True

    async def _greet(self, host: str, port: int, context: Callable[[wire.Info], ssl.SSLContext | None], name: str) -> None:
        greeting = await self._asked(lambda: self._dial(host, port))
        try:
            self.info = wire.info(greeting.rest if greeting.verb == b"INFO" else b"")
        except wire.ProtocolError as error:
            raise Refused(f"nats: {error}") from error
        secure = context(self.info)
        if secure is not None:
            loop = asyncio.get_running_loop()
            self._transport = await loop.start_tls(self._transport, self, secure, server_hostname=name)
        self._owner.informed(self.info)
        verdict = await self._asked(lambda: self._introduce(secure=secure is not None))
        if verdict.verb != b"PONG":
            raise Refused(f"nats: {wire.error_text(verdict.rest)}")

    async def _asked(self, ask: Callable[[], Awaitable[None]]) -> wire.Control:
        """The server's answer to what `ask` does."""
        self._answer = asyncio.get_running_loop().create_future()
        await ask()
        return await self._answer

    async def _dial(self, host: str, port: int) -> None:
        """Connect to the first address of the host that takes us."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise OSError(f"dial tcp: lookup {host}: no such host") from error
        failure: OSError | None = None
        for address in dict.fromkeys(str(address[0]) for *_, address in found):
            try:
                await loop.create_connection(lambda: self, address, port)
            except OSError as error:
                failure = error
            else:
                self.peer = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                return
        raise failure or OSError(f"dial tcp: lookup {host}: no such host")

    async def _introduce(self, *, secure: bool) -> None:
        self.write(self._owner.introduction(self.info, secure=secure) + wire.PING)

    # Afterwards

    def write(self, data: bytes) -> None:
        """Send, together with what else is written in this turn of the event loop.

        An emitter answers `router.start` at once: the server must have heard what we subscribe to when it passes that on.
        """
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._send)
        self._unsent.append(data)

    def _send(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def fail(self, error: str) -> None:
        """Give the connection up; the owner hears of it as of a loss."""
        self._error = error
        self._transport.abort()

    def close(self) -> None:
        """End the connection after what was written; the owner does not hear of it."""
        self._established = False
        self._send()
        self._transport.close()

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        try:
            found = self._parser.feed(bytes(self._buffer[:nbytes]))
            messages = [item for item in found if isinstance(item, wire.Message)]
            for control in found if len(messages) != len(found) else ():
                if isinstance(control, wire.Control):
                    self._heard(control)
        except wire.ProtocolError as error:
            self.fail(f"nats: {error}")
            return
        if messages:
            self._owner.received(messages)

    def _heard(self, control: wire.Control) -> None:
        """A line that is no message."""
        if control.verb == b"PING":
            self.write(wire.PONG)
        elif self._answer is not None and not self._answer.done():
            # While the verdict is awaited, the server may tell of its cluster.
            if control.verb in (b"PONG", b"-ERR") or self._greeting:
                self._greeting = False
                self._answer.set_result(control)
        elif control.verb == b"PONG":
            self._owner.ponged()
        elif control.verb == b"INFO":
            self._owner.informed(wire.info(control.rest))
        elif control.verb == b"-ERR":
            self._owner.complained(wire.error_text(control.rest))

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        self._error = self._error or (str(error) if error is not None else "EOF")
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Refused(self._error))
        elif self._established:
            self._owner.lost(self._error)
