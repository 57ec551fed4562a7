"""Tells the TCP routers, through the Routing API."""

import asyncio
from collections.abc import Iterable, Sequence

from cfroute.clock import Clock
from cfroute.diego.route_emitter.messages import Message
from cfroute.diego.route_emitter.table import Changes
from cfroute.http_client import Unreachable
from cfroute.lager import Lager
from cfroute.routing_api.api import TcpRoute
from cfroute.routing_api.client import RoutingApi
from cfroute.routing_api.errors import ApiError
from cfroute.uaa.client import Tokens, UaaError

_FAILURES = (Unreachable, ApiError)
Key = tuple[object, ...]


class TcpOutlet:
    """Sends the registrations of an emit in one request, and then its unregistrations in another one.

    A Routing API that is slow or away must not hold up the HTTP routes: what is to be said waits here, the last word for each
    mapping, until `run` can say it. What fails is tried once more with a fresh token, and dropped then: the next time that
    everything is said makes good for it. Upstream drops what could not be deleted as well, and its connections fail until it
    expires; here it is deleted with the next emit.
    """

    def __init__(self, api: RoutingApi, tokens: Tokens, clock: Clock, log: Lager) -> None:
        self._api = api
        self._tokens = tokens
        self._clock = clock
        self._log = log
        self._waiting: dict[Key, tuple[TcpRoute, bool]] = {}
        self._undeleted: dict[Key, tuple[TcpRoute, float]] = {}
        """What is still there against our will, and until when."""
        self._news = asyncio.Event()

    async def emit(self, changes: Changes, *, remember: bool) -> None:
        """Have a difference said."""
        self._put(changes.registrations, True)
        self._put(changes.unregistrations, False)

    async def emit_all(self, messages: Iterable[Message]) -> None:
        """Have all of these said that are ours."""
        self._put(messages, True)

    def _put(self, messages: Iterable[Message], there: bool) -> None:
        for message in messages:
            if isinstance(message, TcpRoute):
                self._waiting[message.key] = (message, there)
        if self._waiting:
            self._news.set()

    async def run(self) -> None:
        """Say it, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            there, gone = self._taken()
            if not await self._said(there, gone, anew=False) and not await self._said(there, gone, anew=True):
                now = self._clock.monotonic()
                kept = {route.key: (route, now + route.ttl) for route in gone}
                self._undeleted = kept | self._undeleted  # those that were there already keep their time
            else:
                self._undeleted = {}

    def _taken(self) -> tuple[list[TcpRoute], list[TcpRoute]]:
        """What is to be registered now, and what to be unregistered."""
        now = self._clock.monotonic()
        self._undeleted = {
            key: (route, until) for key, (route, until) in self._undeleted.items() if now < until and key not in self._waiting
        }
        again = [route for route, _ in self._undeleted.values()]
        waiting, self._waiting = self._waiting, {}
        there = [route for route, there in waiting.values() if there]
        return there, again + [route for route, there in waiting.values() if not there]

    async def _said(self, there: Sequence[TcpRoute], gone: Sequence[TcpRoute], *, anew: bool) -> bool:
        """Whether the Routing API has taken both; `anew`: with a fresh token."""
        try:
            token = await self._tokens.fetch(anew=anew)
        except UaaError as error:
            self._log.error("unable-to-get-token", error=str(error))
            return False
        if there:
            try:
                await self._api.create_tcp_routes(token, there)
            except _FAILURES as error:
                self._log.error("unable-to-upsert", error=error.message)
                return False
        if gone:
            try:
                await self._api.delete_tcp_routes(token, gone)
            except _FAILURES as error:
                self._log.error("unable-to-delete", error=error.message)
                return False
        counts = {"number-of-registration-events": len(there), "number-of-unregistration-events": len(gone)}
        self._log.debug("successfully-emitted-events", **counts)
        return True
