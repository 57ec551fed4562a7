"""A lean NATS client: one connection at a time, looked after for ever.

nats-py does this and more; but with it 100 000 registrations take a second longer, and importing it takes as long as
everything else that a Gorouter imports. The order and the pauses of the tries, the pings, the limits, and when to give up are
those of upstream's client.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from cfroute import __version__
from cfroute.clock import Clock, Timer
from cfroute.daemon import spawn
from cfroute.go.quoting import quote
from cfroute.nats import wire
from cfroute.nats.cluster import Server, Servers
from cfroute.nats.connection import Connection, Refused
from cfroute.nats.inbox import Inbox

_NO_SERVERS: Final = "nats: no servers available for connection"
_CONNECT_TIMEOUT: Final = 2.0  # seconds
_RECONNECT_WAIT: Final = 2.0
_PINGS_UNANSWERED: Final = 2
_LOSES_ONLY_THE_CONNECTION: Final = ("stale connection", "maximum connections", "maximum account")


class NatsError(Exception):
    """No server took us; the message is that of upstream's client."""


class Listener:
    """What the client tells of its connection; by default nobody cares."""

    def disconnected(self) -> None:
        """The connection was lost. The client goes on trying."""

    def reconnected(self) -> None:
        """There is a connection again, with all subscriptions."""

    def closed(self, error: str) -> None:
        """The client has given up for good."""

    def slow(self, text: str) -> None:
        """Messages are being dropped, because more of them wait than may."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom to connect to, and as who. `context` is for TLS; without one a server that insists is checked by the system.

    Who has a name and password of his own for some of the servers gives them as `logins`.
    After a loss each server is tried `reconnects` times before the client gives up; None is for ever.
    """

    servers: list[tuple[str, int]]
    user: str = ""
    password: str = ""
    context: ssl.SSLContext | None = None
    ping_interval: float = 20.0
    reconnects: int | None = None
    logins: Mapping[tuple[str, int], tuple[str, str]] = field(default_factory=dict)


Handler = Callable[[wire.Message], object]


class NatsClient:
    """Subscriptions on one of several servers."""

    def __init__(self, settings: Settings, clock: Clock, rng: Random, listener: Listener) -> None:
        self._settings = settings
        self._clock = clock
        self._servers = Servers(settings.servers, rng)
        self._listener = listener
        self._connection: Connection | None = None
        self._subscriptions: dict[bytes, tuple[bytes, Handler]] = {}  # by their number on the wire
        self._inbox = Inbox(self._handle, self._slow, clock)
        self._pinging: Timer | None = None
        self._unanswered = 0
        self._flushes: list[asyncio.Future[None]] = []
        self._reconnecting: asyncio.Task[None] | None = None
        self._closed = False
        self._given_up_for = ""
        self.last_error = ""

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def server(self) -> Server:
        """The server of the connection, or the one that was tried last."""
        return self._servers.present

    @property
    def peer(self) -> str:
        """The address (`ip:port`) that is connected to; empty without a connection."""
        return self._connection.peer if self._connection is not None else ""

    @property
    def pending(self) -> int:
        """Messages that were received and not handled yet."""
        return len(self._inbox)

    @property
    def dropped(self) -> int:
        """Messages that were thrown away because too many were pending."""
        return self._inbox.dropped

    # The connection

    async def connect(self) -> None:
        """Try each server once. Raises NatsError."""
        error = ""
        for _ in range(len(self._servers)):
            try:
                await self._open(self._servers.present)
            except (Refused, OSError) as failure:
                # A server that is not there does not hide what another one has said.
                error = error if isinstance(failure, ConnectionRefusedError) else _described(failure)
                self._servers.turn()
            else:
                return
        raise NatsError(error or _NO_SERVERS)

    async def _open(self, server: Server) -> None:
        connection = Connection(self)
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            await connection.open(server.host, server.port, self._context, server.name)
        self._connection = connection
        self._unanswered = 0
        server.last_refusal = ""
        for sid, (subject, _) in self._subscriptions.items():
            connection.write(wire.subscribe(subject, sid))
        self._ping_later()

    def _context(self, info: wire.Info) -> ssl.SSLContext | None:
        """TLS where we want it, and where the server does."""
        if self._settings.context is not None:
            if not (info.tls_required or info.tls_available):
                raise Refused("nats: secure connection not available")
            return self._settings.context
        return ssl.create_default_context() if info.tls_required else None

    async def _reconnect(self) -> None:
        """Go round the servers until one takes us: a pause before each that ends a round."""
        tried = rounds = 0
        while not self.connected:
            if rounds == self._settings.reconnects:
                self._end(_NO_SERVERS)
                return
            server = self._servers.turn()
            tried += 1
            if tried >= len(self._servers):
                tried = 0
                rounds += 1
                await self._clock.sleep(_RECONNECT_WAIT)
            try:
                await self._open(server)
            except (Refused, OSError) as failure:
                self.last_error = _described(failure)
                if isinstance(failure, Refused) and self._refused_again(failure):
                    self._end(self.last_error)
                    return
        self._listener.reconnected()

    def _refused_again(self, refusal: Refused) -> bool:
        """Whether this server has said twice in a row that it does not know us."""
        server, text = self._servers.present, str(refusal)
        if not refusal.is_about_credentials:
            return False
        again = server.last_refusal == text
        server.last_refusal = text
        return again

    def _end(self, error: str) -> None:
        self._closed = True
        self.last_error = error
        self._listener.closed(error)

    def close(self) -> None:
        """Leave for good, without a word to the listener."""
        self._closed = True
        self._stop_pinging()
        self._inbox.clear()
        self._end_flushes()
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # What is sent

    def publish(self, subject: bytes, payload: bytes) -> None:
        """Send a message. Without a connection it is lost."""
        if self._connection is not None:
            self._connection.write(wire.publish(subject, payload))

    def subscribe(self, subject: bytes, handler: Handler) -> None:
        """Have messages handled, now and after each reconnect."""
        sid = b"%d" % (len(self._subscriptions) + 1)
        self._subscriptions[sid] = (subject, handler)
        if self._connection is not None:
            self._connection.write(wire.subscribe(subject, sid))

    async def flush(self) -> None:
        """Return once the server has read what was sent, so that a subscription holds, or when the connection is lost."""
        if self._connection is not None:
            flushed = asyncio.get_running_loop().create_future()
            self._flushes.append(flushed)
            self._connection.write(wire.PING)
            await flushed

    def _end_flushes(self) -> None:
        for flushed in self._flushes:
            if not flushed.done():
                flushed.set_result(None)
        self._flushes.clear()

    def _ping_later(self) -> None:
        self._pinging = self._clock.call_later(self._settings.ping_interval, self._ping)

    def _ping(self) -> None:
        if self._connection is None:
            return
        self._unanswered += 1
        if self._unanswered > _PINGS_UNANSWERED:
            self._connection.fail("nats: stale connection")
            return
        self._connection.write(wire.PING)
        self._ping_later()

    def _stop_pinging(self) -> None:
        if self._pinging is not None:
            self._pinging.cancel()
            self._pinging = None

    # What the connection tells

    def introduction(self, info: wire.Info, *, secure: bool) -> bytes:
        settings, server = self._settings, self._servers.present
        user, password = settings.logins.get((server.host, server.port), (settings.user, settings.password))
        credentials = {"user": user, "pass": password} if user else {}
        return wire.connect(
            {
                "verbose": False,
                "pedantic": False,
                **credentials,
                "tls_required": secure,
                "name": "",
                "lang": "go",  # what upstream's client says
                "version": __version__,
                "protocol": 1,
                "echo": True,
                "headers": info.headers,
                "no_responders": info.headers,
            }
        )

    def informed(self, info: wire.Info) -> None:
        self._servers.told(info.connect_urls, by_name=self._servers.present.name)

    def ponged(self) -> None:
        self._unanswered = 0
        self._end_flushes()

    def received(self, messages: list[wire.Message]) -> None:
        self._inbox.add(messages)

    def complained(self, text: str) -> None:
        refusal = Refused(f"nats: {text}")
        self.last_error = str(refusal)
        if self._connection is None or text.lower().startswith("permissions violation"):
            return
        if not text.lower().startswith(_LOSES_ONLY_THE_CONNECTION):
            if refusal.is_about_credentials and not self._refused_again(refusal):
                return  # the server hangs up by itself
            self._given_up_for = str(refusal)
        self._connection.fail(str(refusal))

    def lost(self, error: str) -> None:
        self._connection = None
        self._stop_pinging()
        self._end_flushes()
        self.last_error = error
        if self._given_up_for:
            self._end(self._given_up_for)
        elif not self._closed:
            self._listener.disconnected()
            self._reconnecting = spawn(self._reconnect(), name="NATS reconnect")

    # Messages

    def _handle(self, message: wire.Message) -> None:
        subscription = self._subscriptions.get(message.sid)
        if subscription is not None:
            subscription[1](message)

    def _slow(self, message: wire.Message) -> None:
        subject, _ = self._subscriptions.get(message.sid, (message.subject, None))
        number = self._connection.info.client_id if self._connection is not None else 0
        what = f"on connection [{number}] for subscription on {quote(subject.decode('utf-8', 'replace'))}"
        self._listener.slow(f"nats: slow consumer, messages dropped {what}")


def _described(failure: Exception) -> str:
    """An error as upstream's client words it."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {failure.verify_message}"
    if isinstance(failure, TimeoutError):
        return "nats: timeout"
    return str(failure)
