"""What runs while the lock is held: each part is ready before the next is started, and they end the other way round."""

import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

from starlette.types import ASGIApp

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.routing_api import admin, app
from cfroute.routing_api.api import Route, TcpRoute
from cfroute.routing_api.config import Config
from cfroute.routing_api.database import Database
from cfroute.routing_api.errors import ApiError
from cfroute.routing_api.metrics import Metrics
from cfroute.routing_api.self_route import SelfRoute, host
from cfroute.routing_api.service import PRUNE_INTERVAL, Service
from cfroute.routing_api.statsd import Statsd
from cfroute.routing_api.store import Store
from cfroute.routing_api.uaa import Guard
from cfroute.routing_api.upserts import NewGuid

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  (as upstream; `cfroute.address` is narrower)
CIPHERS: Final = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"
"""For TLS 1.2. Those of TLS 1.3 are its own."""


class Members:
    """The listeners, and what is done every now and then."""

    def __init__(
        self,
        config: Config,
        ip: str,
        database: Database,
        statsd: Statsd,
        guard: Guard,
        log: Lager,
        clock: Clock,
        new_guid: NewGuid,
    ) -> None:
        """`ip` is where routers find this Routing API."""
        self._config = config
        self._ip = ip
        self._address = config.cfroute.address or EVERYWHERE
        self._statsd = statsd
        self._metrics = Metrics(statsd)
        self._service = Service(config, database, Store(clock, new_guid), self._metrics)
        self._guard = guard
        self._log = log
        self._clock = clock
        self._new_guid = new_guid

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All of it. Raises ConfigurationError, ApiError or SQLAlchemyError when a part cannot start."""
        async with contextlib.AsyncExitStack() as stack:
            await self._service.prepare(self._log)
            if self._config.api.http_enabled:
                await self._serve_http(stack)
            await self._serve_mtls(stack)
            locks = admin.build(self._service.backup)
            await stack.enter_async_context(daemon.serving(locks, self._config.cfroute.admin_address, self._config.admin_port))
            for hub in (self._service.http_events, self._service.tcp_events):
                stack.callback(hub.close)
            self._measure(stack)
            self._work(stack, self._prune(self._log.session("prune-routes")), "prune routes")
            yield

    async def _serve_http(self, stack: contextlib.AsyncExitStack) -> None:
        """The plain listener, and the routes to it."""
        port = self._config.api.listen_port
        await stack.enter_async_context(daemon.serving(self._api("api-http-server"), self._address, port))
        log = self._log.session("route-register")
        own = SelfRoute(self._config, self._ip, self._service, self._clock, log)
        try:
            await own.register()
        except ApiError as error:
            raise ApiError(error.status, error.name, f"registration error: {error.message}") from error
        stack.push_async_callback(own.unregister)
        self._work(stack, own.run(), "own route")
        nats = self._config.cfroute.nats
        if nats.servers:
            from cfroute.routing_api.announcer import Announcer  # most have no use for it, and it costs a third of the start

            announcer = Announcer(nats, host(self._config), self._ip, port, self._clock, log.session("nats"))
            stack.push_async_callback(announcer.close)
            self._work(stack, announcer.run(), "own route over NATS")

    async def _serve_mtls(self, stack: contextlib.AsyncExitStack) -> None:
        api = self._config.api
        own = (api.mtls_server_cert_file, api.mtls_server_key_file)
        serving = daemon.serving(
            self._api("api-mtls-server"),
            self._address,
            api.mtls_listen_port,
            certificate=own,
            client_ca=api.mtls_client_ca_file,
            ciphers=CIPHERS,
        )
        await stack.enter_async_context(serving)

    def _api(self, name: str) -> ASGIApp:
        return app.build(self._service, self._guard, self._log.session(name), self._new_guid)

    def _measure(self, stack: contextlib.AsyncExitStack) -> None:
        self._metrics.start()
        self._work(stack, self._statsd.run(self._config.flush_interval, self._clock), "send metrics")
        self._work(stack, self._report(self._log.session("metrics")), "report metrics")

    def _work(self, stack: contextlib.AsyncExitStack, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something for ever, or until the stack is unwound."""
        stack.callback(daemon.spawn(work, name=name).cancel)

    async def _report(self, log: Lager) -> None:
        while True:
            await self._clock.sleep(self._config.reporting_interval)
            try:
                await self._metrics.report(self._service, self._guard, (Route, TcpRoute))
            except ApiError as error:
                log.error("error-emitting-metrics", error=error.message)

    async def _prune(self, log: Lager) -> None:
        while True:
            await self._clock.sleep(PRUNE_INTERVAL)
            try:
                await self._service.prune(log)
            except ApiError as error:
                log.error("failed-to-prune-routes", error=error.message)
