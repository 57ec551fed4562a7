"""Follows the Routing API: its events as they come, and all routes every now and then. While it is away the table stays."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.http_client import Unreachable
from cfroute.lager import Lager
from cfroute.routing_api.api import Event, TcpRoute
from cfroute.routing_api.client import RoutingApi
from cfroute.routing_api.errors import ApiError, Unauthorized
from cfroute.tcp_router.applier import Applier
from cfroute.tcp_router.updates import Updater
from cfroute.uaa.client import Tokens, UaaError

_AGAIN_AT_ONCE: Final = 1  # streams that may end without an event before there is a pause


class Watcher:
    """Keeps the table up to date."""

    def __init__(
        self, api: RoutingApi, tokens: Tokens, updater: Updater, applier: Applier, retry_after: float, log: Lager, clock: Clock
    ) -> None:
        """`retry_after` is in seconds."""
        self._api = api
        self._tokens = tokens
        self._updater = updater
        self._applier = applier
        self._retry_after = retry_after
        self._log = log
        self._watch_log = log
        self._clock = clock
        self._fruitless = 0
        self._syncing: asyncio.Task[None] | None = None
        self._sync_again = False
        self.complete = False
        """Whether all routes were fetched once, and the engine was told."""

    # Events

    async def run(self, log: Lager) -> None:
        """Follow the events for ever."""
        self._watch_log = log
        anew = False
        while True:
            try:
                token = await self._tokens.fetch(anew=anew)
            except UaaError as error:
                self._watch_log.error("error-fetching-token", error=str(error))
                await self._clock.sleep(self._retry_after)
            else:
                anew = await self._follow(token)

    async def _follow(self, token: str) -> bool:
        """Subscribe, and apply events until there are no more; whether the token was refused."""
        self._watch_log.info("Subscribing-to-routing-api-event-stream")
        subscribed = False
        try:
            async with self._api.events(TcpRoute, token, on_resumed=self._sync_anew) as events:
                subscribed = True
                self._watch_log.info("Successfully-subscribed-to-routing-api-event-stream")
                self._sync_anew()
                await self._apply(events)
        except ApiError as error:
            if not subscribed:
                return await self._refused(error)
            await self._ended(str(error))
            return isinstance(error, Unauthorized)
        await self._ended("EOF")
        return False

    async def _apply(self, events: AsyncIterator[Event[TcpRoute]]) -> None:
        async for event in events:
            self._fruitless = 0
            if self._updater.handle(event, self._clock.monotonic()):
                self._applier.soon()

    async def _ended(self, why: str) -> None:
        """Subscribe again at once, as upstream; but not for ever to a server that says nothing and hangs up."""
        self._watch_log.error("failed-to-get-next-routing-api-event", error=why)
        self._updater.lose_touch()
        self._fruitless += 1
        if self._fruitless > _AGAIN_AT_ONCE:
            await self._clock.sleep(self._retry_after)

    async def _refused(self, error: ApiError) -> bool:
        unauthorized = isinstance(error, Unauthorized)
        if unauthorized:
            self._watch_log.error("invalid-oauth-token", error=str(error))
        self._watch_log.error("failed-subscribing-to-routing-api-event-stream", error=str(error))
        await self._clock.sleep(self._retry_after)
        return unauthorized

    # All routes

    def sync(self) -> None:
        """Fetch all routes, unless that is under way."""
        if self._is_syncing:
            self._log.session("syncer").debug("sync-already-in-progress")
            return
        self._syncing = spawn(self._sync_all(), name="bulk sync")

    def _sync_anew(self) -> None:
        """Fetch all routes as they are from now on: events before this were missed."""
        if self._is_syncing:
            self._sync_again = True
        else:
            self.sync()

    @property
    def _is_syncing(self) -> bool:
        return self._syncing is not None and not self._syncing.done()

    async def _sync_all(self) -> None:
        await self._sync()
        while self._sync_again:
            self._sync_again = False
            await self._sync()

    async def _sync(self) -> None:
        log = self._log.session("bulk-sync")
        log.debug("starting")
        self._updater.begin_sync()
        routes = await self._fetch(log)
        now = self._clock.monotonic()
        if routes is None:
            changed = self._updater.abandon_sync(now, log)
        else:
            log.debug("fetched-tcp-routes", **{"num-routes": len(routes)})
            changed = self._updater.finish_sync(routes, now, log)
        if changed:
            await self._applier.soon()
        if routes is not None:
            self.complete = True
            log.debug("applied-fetched-routes-to-routing-table", size=len(self._applier.frontends))
        log.debug("completed")

    async def _fetch(self, log: Lager) -> list[TcpRoute] | None:
        """All routes; None if they cannot be had, which is logged."""
        try:
            try:
                return await self._api.tcp_routes(await self._tokens.fetch())
            except Unauthorized as error:
                log.error("error-fetching-routes", error=str(error))
                log.info("retrying-sync")
                return await self._api.tcp_routes(await self._tokens.fetch(anew=True))
        except UaaError as error:
            log.error("error-fetching-token", error=str(error))
        except (ApiError, Unreachable) as error:
            log.error("error-fetching-routes", error=str(error))
        return None

    async def aclose(self) -> None:
        """Fetch nothing any more."""
        if self._syncing is not None:
            self._syncing.cancel()
