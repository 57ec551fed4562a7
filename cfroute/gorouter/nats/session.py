"""The router's session with NATS: it announces itself, and feeds the registry with what it hears.

    PUB router.start      at every connect and reconnect: emitters then register everything again
    SUB router.greet      answered with the start message
    SUB router.*          registrations and unregistrations

In upstream's deprecated mode it is one of the components of the platform, before anything else:

    SUB vcap.component.discover   answered with the page `/varz`
    PUB vcap.component.announce   the same page

The client reconnects for ever. Messages are handled one after the other, in order; what exceeds the pending limits is dropped
and counted.
"""

import ssl
import sys
from collections.abc import Callable
from random import Random
from typing import Final
from uuid import UUID

from cfroute.clock import Clock, Timer
from cfroute.gorouter.config import Config
from cfroute.gorouter.nats import messages
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.tls.contexts import load_pair
from cfroute.logs import Logger
from cfroute.nats.client import Listener, NatsClient, NatsError, Settings
from cfroute.nats.wire import Message

__all__ = ["NatsError", "NatsSession"]

_TRIES: Final = 3
_BETWEEN_TRIES: Final = 0.1  # seconds


class NatsSession(Listener):
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
        component: Callable[[], bytes] | None = None,
    ) -> None:
        """`on_closed` is told when the client has given up for good: upstream's router ends then.

        `component` makes what the router announces itself with as one of the platform's components, in its deprecated mode.
        """
        self._config = config
        self._registry = registry
        self._nats_log = logger.session("nats")
        self._log = logger.session("subscriber")
        self._clock = clock
        self._start_message = messages.start_message(config, str(UUID(int=rng.getrandbits(128), version=4)))
        self._on_closed = on_closed
        self._component = component
        self._component_log = logger.session("router")
        self._client = NatsClient(_settings(config), clock, rng, self)
        self._reminder: Timer | None = None
        self._where: dict[str, str] = {}
        self._changes = {b"router.register": registry.register, b"router.unregister": registry.unregister}

    @property
    def connected(self) -> bool:
        return self._client.connected

    @property
    def buffered(self) -> int:
        """Messages that were received and not handled yet."""
        return self._client.pending

    @property
    def dropped(self) -> int:
        """Messages that were thrown away because too many were waiting."""
        return self._client.dropped

    def subscribe(self) -> None:
        """Announce the router, and hear what there is to hear from now on."""
        if self._component is not None:
            self._client.subscribe(b"vcap.component.discover", self._discovered)
            self.publish(b"vcap.component.announce", self._component())
            self._component_log.info("Component Router registered successfully")
        self._log.info("subscriber-starting")
        self.publish(b"router.start", self._start_message)
        self._client.subscribe(b"router.greet", self._greeted)
        self._client.subscribe(b"router.*", self._heard)
        self._log.info("subscriber-started")

    async def listening(self) -> None:
        """Return once NATS knows of the subscriptions: what is registered from then on is heard."""
        await self._client.flush()

    def publish(self, subject: bytes, payload: bytes) -> None:
        """Send a message. Without a connection it is lost."""
        self._client.publish(subject, payload)

    def close(self) -> None:
        """Leave. The routes stay."""
        self._stop_reminding()
        self._client.close()

    async def connect(self) -> None:
        """Find a server that takes us. Raises NatsError, logged, after three tries at each."""
        for _ in range(_TRIES):
            try:
                await self._client.connect()
                break
            except NatsError as error:
                failure = error
                await self._clock.sleep(_BETWEEN_TRIES)
        else:
            self._nats_log.error("nats-connection-error", error=str(failure))
            raise failure
        self._note_server()
        self._nats_log.info("Successfully-connected-to-nats", **self._where)

    def _note_server(self) -> None:
        self._where = {"host": self._client.server.address, "addr": self._client.peer}

    # What the client tells of the connection

    def disconnected(self) -> None:
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

    def reconnected(self) -> None:
        self._stop_reminding()
        self._note_server()
        self._nats_log.info("nats-connection-reconnected", **self._where)
        self.publish(b"router.start", self._start_message)

    def closed(self, error: str) -> None:
        self._stop_reminding()
        self._nats_log.error("nats-connection-closed", error="unexpected close", last_error=error)
        if self._on_closed is not None:
            self._on_closed()

    def slow(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")

    # Messages

    def _greeted(self, message: Message) -> None:
        if message.reply:
            self.publish(message.reply, self._start_message)

    def _discovered(self, message: Message) -> None:
        if message.reply and self._component is not None:
            self.publish(message.reply, self._component())
        else:
            subject = message.subject.decode("utf-8", "replace")
            self._component_log.info(f"Received message with empty reply on subject {subject}")

    def _heard(self, message: Message) -> None:
        """Do what a message on `router.*` says. All of them are read as registrations, as upstream does, and refused if bad."""
        try:
            told = messages.decode(message.payload)
        except messages.MessageError as error:
            shown = message.payload.decode("utf-8", "replace")
            subject = message.subject.decode("utf-8", "replace")
            self._log.error("validation-error", error=str(error), payload=shown, subject=subject)
            return
        change = self._changes.get(message.subject)
        if change is None:
            return
        config = self._config
        endpoint = messages.to_endpoint(told, stale_threshold=config.droplet_stale_threshold, http2=config.enable_http2)
        for uri in told.uris:
            change(uri, endpoint)


def _settings(config: Config) -> Settings:
    nats = config.nats
    return Settings(
        servers=[(host.hostname, host.port) for host in nats.hosts],
        user=nats.user,
        password=nats.password,
        context=_tls_context(config) if nats.tls_enabled else None,
        ping_interval=config.nats_client_ping_interval,
    )


def _tls_context(config: Config) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False  # Go looks at the alternative names only
    context.load_verify_locations(cadata=config.nats.ca_certs)
    load_pair(context, config.nats.cert_chain, config.nats.private_key)
    return context
