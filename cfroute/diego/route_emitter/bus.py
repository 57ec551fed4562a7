"""The connection to NATS: for ever, as far as the emitter can tell."""

import asyncio
import ssl
from collections.abc import Callable

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NATSError

from cfroute.diego.client import tls_context
from cfroute.diego.route_emitter.config import Config
from cfroute.diego.route_emitter.errors import BusError
from cfroute.lager import Lager

PATIENCE = 4.0  # s, for the first connection
RECONNECT_WAIT = 0.5  # s, upstream's
PING_INTERVAL = 20  # s, upstream's
NO_RESPONDERS = "503"
"""The status of the server's own answer to a question that nobody listens to; it is not for who asked."""


class Bus:
    """Publishes and subscribes; reconnects by itself. What is published while there is no connection is dropped.

    It would be stale by the time it arrived: whoever publishes says everything again after a reconnect
    (`on_reconnect`).
    """

    def __init__(self, config: Config, log: Lager) -> None:
        """Raises ConfigurationError when the files for TLS cannot be used."""
        self._config = config
        self._log = log
        self._client = Client()
        self._tls = self._context()
        self._closed = asyncio.Event()
        self._connected_once = False
        self.on_reconnect: Callable[[], None] = lambda: None

    async def connect(self) -> None:
        """Connect to the first server that answers. Raises BusError when none does for a while."""
        self._log.info("setting-nats-ping-interval", **{"duration-in-seconds": PING_INTERVAL})
        try:
            async with asyncio.timeout(PATIENCE):
                await self._connect()
        except (NATSError, OSError) as error:  # a timeout is an OSError
            self._log.error("connecting-to-nats-failed", error=str(error) or "no answer in time")
            raise BusError("NATS cannot be reached") from error
        self._connected_once = True
        self._log.info("nats-connection-created")

    async def _connect(self) -> None:
        self._client = await nats.connect(
            self._config.servers,
            name=self._config.locket_session_name,
            user=self._config.nats_username or None,
            password=self._config.nats_password or None,
            tls=self._tls,
            reconnect_time_wait=RECONNECT_WAIT,
            max_reconnect_attempts=-1,
            ping_interval=PING_INTERVAL,
            error_cb=self._failed,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            closed_cb=self._ended,
        )

    async def closed(self) -> None:
        """Raise BusError when the connection is closed for good."""
        await self._closed.wait()
        raise BusError("the connection to NATS was closed")

    @property
    def connected(self) -> bool:
        return bool(self._client.is_connected)

    async def publish(self, subject: str, data: bytes, reply: str = "") -> bool:
        """Send a message; whether that was possible."""
        if not self._client.is_connected:
            return False
        try:
            await self._client.publish(subject, data, reply=reply)
        except NATSError as error:
            self._log.error("failed-to-publish", subject=subject, error=str(error))
            return False
        return True

    async def subscribe(self, subject: str, take: Callable[[bytes], None]) -> None:
        """Have `take` called with each message, also after a reconnect."""

        async def received(message: Msg) -> None:
            if (message.headers or {}).get("Status") != NO_RESPONDERS:
                take(message.data)

        await self._client.subscribe(subject, cb=received)

    def inbox(self) -> str:
        """A subject that nobody else listens to."""
        return str(self._client.new_inbox())

    async def close(self) -> None:
        """Send what is still to be sent, and hang up."""
        if self._client.is_connected:
            await self._client.flush()
        if self._connected_once:
            await self._client.close()

    def _context(self) -> ssl.SSLContext | None:
        c = self._config
        if not c.nats_tls_enabled:
            return None
        return tls_context(c.nats_ca_cert_file, c.nats_client_cert_file, c.nats_client_key_file)

    async def _failed(self, error: Exception) -> None:
        self._log.error("nats-error", error=str(error) or type(error).__name__)

    async def _disconnected(self) -> None:
        self._log.info("nats-connection-disconnected")

    async def _reconnected(self) -> None:
        self._log.info("nats-connection-reconnected")
        self.on_reconnect()

    async def _ended(self) -> None:
        self._closed.set()
