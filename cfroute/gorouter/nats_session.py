"""The router's session with NATS: it announces itself, and feeds the registry with what it hears.

    PUB router.start      at every connect and reconnect: emitters then register everything again
    SUB router.greet      answered with the start message
    SUB router.*          registrations and unregistrations

The client reconnects for ever. Messages are handled one after the other, in order; what exceeds the pending limits is dropped
by the client and counted.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from random import Random
from typing import Any, Final
from uuid import UUID

from cfroute.clock import Clock, Timer
from cfroute.gorouter import messages
from cfroute.gorouter.config import Config
from cfroute.gorouter.registry import Registry
from cfroute.gorouter.tls import load_pair
from cfroute.logs import Logger

_TRIES: Final = 3
_BETWEEN_TRIES: Final = 0.1  # seconds
_RECONNECT_WAIT: Final = 2.0
_CONNECT_TIMEOUT: Final = 2.0
_PENDING_MESSAGES: Final = 131_072
_PENDING_BYTES: Final = _PENDING_MESSAGES * 1024
_IN_A_ROW: Final = 200  # messages handled before requests get their turn: a few milliseconds
_LONG_QUEUE: Final = 5000


class NatsError(Exception):
    """No server took us; the message is the `error` of the log line `nats-connection-error`."""


class NatsSession:
    """One connection to one of the configured servers, and the subscriptions on it."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        logger: Logger,
        clock: Clock,
        rng: Random,
        *,
        on_closed: Callable[[], object] | None = None,
    ) -> None:
        """`on_closed` is told when the client has given up for good: upstream's router ends then."""
        self._config = config
        self._registry = registry
        self._nats_log = logger.session("nats")
        self._log = logger.session("subscriber")
        self._clock = clock
        self._start_message = messages.start_message(config, str(UUID(int=rng.getrandbits(128), version=4)))
        self._on_closed = on_closed
        self._client: Any = None
        self._subscription: Any = None
        self._reminder: Timer | None = None
        self._where: dict[str, str] = {}
        self._refusal = ""
        self._closing = False
        self._in_a_row = 0
        self.dropped = 0

    @property
    def connected(self) -> bool:
        return self._client is not None and bool(self._client.is_connected)

    @property
    def buffered(self) -> int:
        """Messages that were received and not handled yet."""
        return self._subscription.pending_msgs if self._subscription is not None else 0

    async def start(self) -> None:
        """Connect, announce the router and subscribe. Raises NatsError after three tries at each server."""
        await self._connect()
        self._log.info("subscriber-starting")
        await self._client.publish("router.start", self._start_message)
        await self._client.subscribe("router.greet", cb=self._greeted)
        self._subscription = await self._client.subscribe(
            "router.*", cb=self._heard, pending_msgs_limit=_PENDING_MESSAGES, pending_bytes_limit=_PENDING_BYTES
        )
        await self._client.flush()
        self._log.info("subscriber-started")

    async def close(self) -> None:
        """Leave. The routes stay."""
        self._closing = True
        self._stop_reminding()
        if self._client is not None:
            await self._client.close()
            self._log.info("exited")

    async def _connect(self) -> None:
        import nats.errors
        from nats.aio.client import Client

        settings = self._config.nats
        self._client = Client()
        try:
            await self._client.connect(
                [f"nats://{host.hostname}:{host.port}" for host in settings.hosts],
                error_cb=self._failed,
                disconnected_cb=self._disconnected,
                reconnected_cb=self._reconnected,
                closed_cb=self._closed,
                user=settings.user or None,
                password=settings.password or None,
                tls=_tls_context(self._config) if settings.tls_enabled else None,
                ping_interval=self._config.nats_client_ping_interval,
                connect_timeout=_CONNECT_TIMEOUT,
                max_reconnect_attempts=_TRIES - 1,
                reconnect_time_wait=_BETWEEN_TRIES,
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise NatsError(self._refusal or "nats: no servers available for connection") from error
        # Only the start is given up on; a connection that was once made is looked after for ever.
        self._client.options["max_reconnect_attempts"] = -1
        self._client.options["reconnect_time_wait"] = _RECONNECT_WAIT
        await self._note_server()
        self._nats_log.info("Successfully-connected-to-nats", **self._where)

    async def _note_server(self) -> None:
        url = self._client.connected_url
        address = url.hostname
        if not _is_address(address):
            found = await asyncio.get_running_loop().getaddrinfo(address, url.port)
            address = found[0][4][0]
        self._where = {"host": url.netloc.rpartition("@")[2], "addr": f"{address}:{url.port}"}

    # What the client tells of the connection

    async def _failed(self, error: Exception) -> None:
        from nats.errors import SlowConsumerError

        if isinstance(error, SlowConsumerError):
            self.dropped += 1
        elif "Authorization Violation" in str(error):
            self._refusal = "nats: Authorization Violation"
        elif not isinstance(error, (OSError, TimeoutError, asyncio.IncompleteReadError)):
            self._nats_log.error("nats-client-error", error=f"{type(error).__name__}: {error}")

    async def _disconnected(self) -> None:
        if not self._closing and self._where:
            self._nats_log.info("nats-connection-disconnected", **self._where)
            self._remind_later()

    def _remind_later(self) -> None:
        self._reminder = self._clock.call_later(self._config.nats_client_ping_interval, self._remind)

    def _remind(self) -> None:
        self._nats_log.info("nats-connection-still-disconnected")
        self._remind_later()

    def _stop_reminding(self) -> None:
        if self._reminder is not None:
            self._reminder.cancel()
            self._reminder = None

    async def _reconnected(self) -> None:
        self._stop_reminding()
        await self._note_server()
        self._nats_log.info("nats-connection-reconnected", **self._where)
        await self._client.publish("router.start", self._start_message)

    async def _closed(self) -> None:
        if not self._closing and self._where:
            self._stop_reminding()
            self._nats_log.error("nats-connection-closed", error="unexpected close", last_error=str(self._client.last_error))
            if self._on_closed is not None:
                self._on_closed()

    # Messages

    async def _greeted(self, message: Any) -> None:
        if message.reply:
            await self._client.publish(message.reply, self._start_message)

    async def _heard(self, message: Any) -> None:
        self.handle(message.subject, message.data)
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            self._in_a_row = 0
            # The client would go through its whole queue in one turn of the event loop. A long queue must not become longer.
            if self.buffered < _LONG_QUEUE:
                await self._clock.sleep(0)

    def handle(self, subject: str, payload: bytes) -> None:
        """Do what a message on `router.*` says. All of them are read as registrations, as upstream does, and refused if bad."""
        try:
            told = messages.decode(payload)
        except messages.MessageError as error:
            shown = payload.decode("utf-8", "replace")
            self._log.error("validation-error", error=str(error), payload=shown, subject=subject)
            return
        if subject == "router.register":
            change = self._registry.register
        elif subject == "router.unregister":
            change = self._registry.unregister
        else:
            return
        endpoint = messages.to_endpoint(
            told, stale_threshold=self._config.droplet_stale_threshold, http2=self._config.enable_http2
        )
        for uri in told.uris:
            change(uri, endpoint)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _tls_context(config: Config) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=config.nats.ca_certs)
    load_pair(context, config.nats.cert_chain, config.nats.private_key)
    return context
