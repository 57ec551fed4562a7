"""Gives each route its turns: asks how it is, and tells the routers."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.route_registrar.config import HealthCheck, HttpRoute, Route, TcpRoute
from cfroute.route_registrar.errors import RegistrationError
from cfroute.route_registrar.health_check import ScriptError
from cfroute.route_registrar.turns import Standing, Verb, next_turn

_WORDS = {
    Verb.REGISTER: ("Registering route", "Registered routes successfully"),
    Verb.UNREGISTER: ("Unregistering route", "Unregistered routes successfully"),
}


class Checker(Protocol):
    """Who knows how a backend is."""

    async def check(self, health_check: HealthCheck) -> bool:
        """Whether it is well. Raises ScriptError when that cannot be told."""


class HttpOutlet(Protocol):
    """Where HTTP routes are told."""

    def tell(self, verb: Verb, route: HttpRoute) -> bool: ...


class TcpOutlet(Protocol):
    """Where TCP routes are told."""

    async def tell(self, verb: Verb, route: TcpRoute) -> None: ...


class _Kept:
    """A route that has turns."""

    def __init__(self, route: Route, limit: int) -> None:
        self.route = route
        self.standing = Standing(limit)
        self.task: asyncio.Task[None] | None = None


class Registrar:
    """The routes and their turns. `http` and `tcp` are None where there is nobody to tell them to."""

    def __init__(
        self, checker: Checker, http: HttpOutlet | None, tcp: TcpOutlet | None, limit: int, clock: Clock, log: Lager
    ) -> None:
        """`limit` is how often in a row a route is told to be gone."""
        self._checker = checker
        self._http = http
        self._tcp = tcp
        self._limit = limit
        self._clock = clock
        self._log = log
        self._kept: list[_Kept] = []
        self._new: set[_Kept] = set()
        """Those that have not had a turn yet."""
        self._failure: asyncio.Future[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether each route has had its first turn."""
        return self._failure is not None and not self._new

    async def run(self, routes: Iterable[Route]) -> None:
        """Give these routes their turns, for ever. Raises RegistrationError when one cannot be told."""
        self._failure = asyncio.get_running_loop().create_future()
        for route in routes:
            self.add(route)
        await self._failure

    def add(self, route: Route) -> None:
        """Give a further route its turns."""
        kept = _Kept(route, self._limit)
        self._kept.append(kept)
        self._new.add(kept)
        kept.task = daemon.spawn(self._turns(kept), name=f"route {route.name}")

    async def remove(self, route: Route) -> None:
        """Tell that the route is gone, and forget it. Raises RegistrationError."""
        for kept in [each for each in self._kept if each.route == route]:
            self._kept.remove(kept)
            self._new.discard(kept)
            _stop(kept)
            await self._tell(Verb.UNREGISTER, kept)

    def repeat(self) -> None:
        """Tell the HTTP routes again that were well last time: somebody may not have heard it."""
        for kept in self._kept:
            if kept.standing.is_registered and isinstance(kept.route, HttpRoute) and self._http:
                self._http.tell(Verb.REGISTER, kept.route)

    async def unregister_all(self) -> None:
        """Tell of each route that it is gone, whatever it was told before. Raises the first RegistrationError, after all."""
        failures = []
        for kept in self._kept:
            _stop(kept)
        for kept in self._kept:
            try:
                await self._tell(Verb.UNREGISTER, kept)
            except RegistrationError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def _turns(self, kept: _Kept) -> None:
        """The turns of one route, until one fails."""
        try:
            due = self._clock.monotonic()
            while True:
                await self._turn(kept)
                self._new.discard(kept)
                due = next_turn(due, kept.route.registration_interval, self._clock.monotonic())
                await self._clock.sleep(due - self._clock.monotonic())
        except RegistrationError as error:
            if self._failure is not None and not self._failure.done():
                self._failure.set_exception(error)

    async def _turn(self, kept: _Kept) -> None:
        verb = kept.standing.after(healthy=await self._is_healthy(kept.route))
        if verb is not None:
            await self._tell(verb, kept)

    async def _is_healthy(self, route: Route) -> bool:
        if route.health_check is None:
            self._log.info("no healthchecker found for route", route=route)
            return True
        try:
            healthy = await self._checker.check(route.health_check)
        except ScriptError as error:
            self._log.error("healthchecker errored for route", route=route, error=str(error))
            return False
        self._log.info(f"healthchecker returned {'healthy' if healthy else 'unhealthy'} for route", route=route)
        return healthy

    async def _tell(self, verb: Verb, kept: _Kept) -> None:
        """Tell it, and remember that. Raises RegistrationError."""
        begun, done = _WORDS[verb]
        self._log.info(begun, route=kept.route)
        if await self._was_told(verb, kept.route):
            kept.standing.told(verb)
        self._log.info(done)

    async def _was_told(self, verb: Verb, route: Route) -> bool:
        if isinstance(route, TcpRoute):
            if self._tcp is None:
                raise RegistrationError("routing_api must have an api_url")
            await self._tcp.tell(verb, route)
            return True
        if self._http is None:
            raise RegistrationError("message_bus_servers must have at least one entry")
        return self._http.tell(verb, route)


def _stop(kept: _Kept) -> None:
    if kept.task is not None:
        kept.task.cancel()
