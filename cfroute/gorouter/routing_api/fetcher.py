"""The Routing API as a source of routes: all of them every now and then, and in between what changes.

What was in one full answer and is not in the next is unregistered. Upstream's log lines, under `route-fetcher`.
"""

import asyncio
import ssl
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.gorouter.config import Config
from cfroute.gorouter.routing_api import endpoints
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.tls.contexts import load_pair
from cfroute.http_client import Unreachable
from cfroute.logs import Logger
from cfroute.routing_api.api import DELETE, UPSERT, Event, Route
from cfroute.routing_api.client import RoutingApi
from cfroute.routing_api.errors import ApiError, Unauthorized
from cfroute.uaa import client as uaa
from cfroute.uaa.client import Credentials, NoTokens, Patience, TokenFetcher, Tokens, UaaError

FAILURES: Final = (ApiError, UaaError, Unreachable)
"""What fetching may raise."""

_RETRY_AFTER: Final = 1.0  # seconds, before subscribing again


class RouteFetcher:
    """Keeps a registry up to date with a Routing API."""

    def __init__(self, config: Config, registry: Registry, log: Logger, clock: Clock) -> None:
        """Raises UaaError when the authorities of the UAA cannot be read."""
        self._log = log
        self._registry = registry
        self._clock = clock
        self._stale_threshold = config.droplet_stale_threshold
        self._interval = config.prune_stale_droplets_interval / 2
        api = config.routing_api
        self._tokens: Tokens = NoTokens() if api.auth_disabled else _tokens(config, log, clock)
        self._api = RoutingApi(f"{api.uri}:{api.port}", _context(config), clock, retry_after=_RETRY_AFTER)
        self._known: list[Route] = []
        self._fetched = False
        self._tasks: list[asyncio.Task[None]] = []

    async def check(self) -> None:
        """Get a token, as a router that cannot does not start. Raises UaaError."""
        await self._tokens.fetch(anew=True)

    def start(self) -> None:
        """Keep the registry up to date from now on."""
        self._tasks = [spawn(self._follow_forever(), name="routing API events")]
        if self._interval > 0:
            self._tasks.append(spawn(self._fetch_forever(), name="routing API routes"))
        self._log.info("syncer-started")

    async def close(self) -> None:
        """Stop. The routes stay."""
        for task in self._tasks:
            task.cancel()
        await self._api.aclose()
        await self._tokens.aclose()

    # All routes

    async def _fetch_forever(self) -> None:
        while True:
            if self._fetched:
                await self._clock.sleep(self._interval)
            try:
                await self.fetch()
            except FAILURES as error:
                self._log.error("failed-to-fetch-routes", error=_text(error))
                if not self._fetched:
                    await self._clock.sleep(_RETRY_AFTER)

    async def fetch(self) -> None:
        """Bring the registry up to date with all routes. Raises one of FAILURES."""
        self._log.debug("syncer-fetch-routes-started")
        try:
            try:
                routes = await self._routes(anew=False)
            except Unauthorized:
                routes = await self._routes(anew=True)
            self._log.debug("syncer-refreshing-endpoints", **{"number-of-routes": len(routes)})
            self._refresh(routes)
        finally:
            self._log.debug("syncer-fetch-routes-completed")

    async def _routes(self, *, anew: bool) -> list[Route]:
        self._log.debug("syncer-fetching-token")
        token = await self._tokens.fetch(anew=anew)
        self._log.debug("syncer-fetching-routes")
        return await self._api.routes(token)

    def _refresh(self, routes: list[Route]) -> None:
        present = {endpoints.identity(route) for route in routes}
        for route in self._known:
            if endpoints.identity(route) not in present:
                self._registry.unregister(route.route, self._endpoint(route))
        self._known = routes
        self._fetched = True
        for route in routes:
            self._registry.register(route.route, self._endpoint(route))

    def _endpoint(self, route: Route) -> Endpoint:
        return endpoints.endpoint(route, self._stale_threshold)

    # What changes

    async def _follow_forever(self) -> None:
        anew = False
        while True:
            self._log.debug("fetching-token")
            try:
                token = await self._tokens.fetch(anew=anew)
            except UaaError as error:
                self._log.error("failed-to-fetch-token", error=str(error))
            else:
                anew = await self._follow(token)
            await self._clock.sleep(_RETRY_AFTER)

    async def _follow(self, token: str) -> bool:
        """Apply events until the stream ends; whether the token was refused."""
        self._log.info("subscribing-to-routing-api-event-stream")
        subscribed = False
        try:
            async with self._api.events(Route, token) as events:
                subscribed = True
                self._log.info("Successfully-subscribed-to-routing-api-event-stream")
                async for event in events:
                    self._apply(event)
            self._log.error("failed-getting-next-event: ", error="EOF")
        except ApiError as error:
            message = "failed-getting-next-event: " if subscribed else "failed-subscribing-to-routing-api-event-stream"
            self._log.error(message, error=str(error))
            return isinstance(error, Unauthorized)
        return False

    def _apply(self, event: Event[Route]) -> None:
        action, route = event
        self._log.debug("received-event", event={"Action": action, "Route": route.route, "IP": route.ip, "Port": route.port})
        if action == UPSERT:
            self._registry.register(route.route, self._endpoint(route))
        elif action == DELETE:
            self._registry.unregister(route.route, self._endpoint(route))


def _text(error: Exception) -> str:
    return error.message if isinstance(error, Unreachable) else str(error)


def _tokens(config: Config, log: Logger, clock: Clock) -> TokenFetcher:
    """Tokens of the configured client. Raises UaaError when the authorities cannot be read."""
    oauth = config.oauth
    return TokenFetcher(
        uaa.url_of(oauth.token_endpoint, oauth.port),
        Credentials(oauth.client_name, oauth.client_secret),
        uaa.tls_context(oauth.ca_certs, skip=oauth.skip_ssl_validation),
        log,
        clock,
        Patience(
            config.token_fetcher_max_retries, config.token_fetcher_retry_interval, config.token_fetcher_expiration_buffer_time
        ),
    )


def _context(config: Config) -> ssl.SSLContext:
    """Mutual TLS with the Routing API."""
    api = config.routing_api
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False  # Go looks at the alternative names only
    context.load_verify_locations(cadata=api.ca_certs)
    load_pair(context, api.cert_chain, api.private_key)
    return context
