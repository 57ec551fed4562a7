"""The connection to NATS, with upstream's log lines and its client's ways."""

import asyncio
import random
import ssl
from collections.abc import Callable
from typing import Final

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.nats.client import Listener, NatsClient, NatsError, Settings
from cfroute.route_registrar.config import NatsServer
from cfroute.route_registrar.errors import RegistrationError, Unusable
from cfroute.route_registrar.messages import ROUTER_START
from cfroute.route_registrar.schema import NatsTls

RECONNECTS: Final = 60  # 2 s apart: upstream's client gives up then
PING_INTERVAL: Final = 20.0  # s
FLUSH_PATIENCE: Final = 2.0  # s, for the last words
_CIPHERS: Final = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"


class Bus(Listener):
    """Publishes to NATS. `on_return` is called when a lost connection is there again."""

    def __init__(self, servers: list[NatsServer], tls: NatsTls, clock: Clock, chance: random.Random, log: Lager) -> None:
        """Raises Unusable when the files for TLS cannot be used."""
        named = next((server for server in servers if server.user), servers[0])
        settings = Settings(
            user=named.user,
            password=named.password,
            servers=[(server.host, server.port) for server in servers],
            logins={(server.host, server.port): (server.user, server.password) for server in servers if server.user},
            context=_context(tls) if tls.enabled else None,
            ping_interval=PING_INTERVAL,
            reconnects=RECONNECTS,
        )
        self._client = NatsClient(settings, clock, chance, self)
        self._log = log
        self._hosts = [f"{server.host}:{server.port}" for server in servers]
        self._over = asyncio.Event()
        self.on_return: Callable[[], object] = lambda: None

    async def connect(self) -> None:
        """Find a server that takes us. Raises RegistrationError when there is none."""
        try:
            await self._client.connect()
        except NatsError as error:
            self._log.error("nats-connection-failed", error=str(error), **{"nats-hosts": self._hosts})
            raise RegistrationError(str(error)) from error
        self._log.info("nats-connection-successful", **self._where())

    def on_router_start(self, call: Callable[[], object]) -> None:
        """Have something done whenever a router says that it has started."""
        self._client.subscribe(ROUTER_START, lambda _message: call())

    def publish(self, subject: bytes, payload: bytes) -> bool:
        """Send a message; whether there was a connection for it."""
        if not self._client.connected:
            return False
        self._client.publish(subject, payload)
        return True

    async def given_up(self) -> None:
        """Raise RegistrationError when the client has given up."""
        await self._over.wait()
        raise RegistrationError(self._client.last_error)

    async def close(self) -> None:
        """Send what is still to be sent, and leave."""
        try:
            async with asyncio.timeout(FLUSH_PATIENCE):
                await self._client.flush()
        except TimeoutError:
            self._log.error("nats-flush-failed", error="no answer in time")
        self._client.close()
        if not self._over.is_set():
            self.closed("unexpected nats conn closed")  # so says upstream of its own end, too

    def _where(self) -> dict[str, str]:
        return {"nats-host": self._client.server.address}

    # What the client tells of the connection

    def disconnected(self) -> None:
        self._log.error("nats-connection-disconnected", error=self._client.last_error, **self._where())

    def reconnected(self) -> None:
        self._log.info("nats-connection-reconnected", **self._where())
        self.on_return()

    def closed(self, error: str) -> None:
        self._log.error("nats-connection-closed", error=error, **self._where())
        self._over.set()


def _context(tls: NatsTls) -> ssl.SSLContext:
    from cfroute.routing_api.client import mutual_tls  # with all that a client of HTTP needs, for the few who have TLS

    try:
        context = mutual_tls(tls.ca_path, tls.cert_path, tls.key_path)
    except OSError as error:  # SSLError is one
        raise Unusable(f"failed building NATS mTLS config: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    return context
