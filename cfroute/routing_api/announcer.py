"""The route to the Routing API itself, told to Gorouters over NATS: for those that do not ask the Routing API for routes."""

from typing import Any, Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NATSError

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.routing_api.config import Nats

INTERVAL: Final = 20.0  # s, as route emitters repeat theirs
_RECONNECT_WAIT: Final = 2  # s, as Gorouter


class Announcer:
    """Sends `router.register` every now and then, and `router.unregister` in the end."""

    def __init__(self, config: Nats, uri: str, host: str, port: int, clock: Clock, log: Lager) -> None:
        self._config = config
        self._clock = clock
        self._log = log
        self._client = Client()
        tags = {"component": "routing-api"}
        self._message = msgspec.json.encode({"host": host, "port": port, "uris": [uri], "tags": tags})

    async def run(self) -> None:
        """Connect as soon as a server answers, and announce the route for ever."""
        await self._client.connect(
            self._config.servers,
            name="routing-api",
            user=self._config.user or None,
            password=self._config.password or None,
            reconnect_time_wait=_RECONNECT_WAIT,
            max_reconnect_attempts=-1,
            allow_reconnect=True,
            error_cb=self._failed,
        )
        await self._client.subscribe("router.start", cb=self._again)
        while True:
            await self._say("router.register")
            await self._clock.sleep(INTERVAL)

    async def close(self) -> None:
        """Take the route back, and hang up."""
        if self._client.is_connected:
            await self._say("router.unregister")
            await self._client.flush()
        await self._client.close()

    async def _again(self, _started: Any) -> None:
        await self._say("router.register")

    async def _say(self, subject: str) -> None:
        if not self._client.is_connected:
            return  # it would be stale by the time it arrived
        try:
            await self._client.publish(subject, self._message)
        except NATSError as error:
            await self._failed(error)

    async def _failed(self, error: Exception) -> None:
        self._log.error("nats-error", error=str(error) or type(error).__name__)
