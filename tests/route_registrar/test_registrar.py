"""The turns of routes, with a clock that is moved by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from io import StringIO
from typing import Any

import pytest

from cfroute.lager import Lager, Sink
from cfroute.route_registrar.config import HealthCheck, HttpRoute, Route, TcpRoute
from cfroute.route_registrar.errors import RegistrationError
from cfroute.route_registrar.health_check import ScriptError
from cfroute.route_registrar.registrar import Registrar
from cfroute.route_registrar.turns import Verb
from cfroute.testing import ManualClock

from .examples import http_route, tcp_route

CHECK = {"name": "h", "script_path": "/bin/check"}


class World:
    """Who is told, who is asked, and the time. `verdicts` are the checks' answers, the last of which stays."""

    def __init__(self, limit: int = 5) -> None:
        self.clock = ManualClock()
        self.told: list[tuple[str, str]] = []
        self.verdicts: list[bool | None] = [True]
        self.connected = True
        self.refuses_tcp = False
        self.output = StringIO()
        log = Lager("Route Registrar", Sink(stream=self.output, clock=self.clock))
        self.registrar = Registrar(self, Http(self), Tcp(self), limit, self.clock, log)

    async def check(self, health_check: HealthCheck) -> bool:
        verdict = self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]
        if verdict is None:
            raise ScriptError("too slow")
        return verdict

    def heard(self) -> list[str]:
        """The verbs that were told since the last time."""
        told, self.told = self.told, []
        return [verb for verb, _ in told]

    async def pass_(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await settle()


class Http:
    def __init__(self, world: World) -> None:
        self._world = world

    def tell(self, verb: Verb, route: HttpRoute) -> bool:
        if self._world.connected:
            self._world.told.append((verb.value, route.name))
        return self._world.connected


class Tcp:
    def __init__(self, world: World) -> None:
        self._world = world

    async def tell(self, verb: Verb, route: TcpRoute) -> None:
        if self._world.refuses_tcp:
            raise RegistrationError("no")
        self._world.told.append((verb.value, route.name))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def play(world: World, routes: list[Route], scene: Callable[[asyncio.Task[None]], Awaitable[None]]) -> None:
    async def run() -> None:
        task = asyncio.ensure_future(world.registrar.run(routes))
        await settle()
        try:
            await scene(task)
        finally:
            task.cancel()
            world.refuses_tcp = False
            await world.registrar.unregister_all()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


@pytest.mark.statement("route registrar 5", "Each route has a turn at the start, and then one every interval of its own")
def test_each_route_has_its_own_turns() -> None:
    world = World()
    routes = [http_route(name="slow", registration_interval="20s"), tcp_route(name="quick", registration_interval="10s")]

    async def scene(_: asyncio.Task[None]) -> None:
        assert world.told == [("register", "slow"), ("register", "quick")]
        world.told.clear()
        await world.pass_(9.9)
        assert world.told == []
        await world.pass_(0.1)
        assert world.told == [("register", "quick")]
        await world.pass_(10)
        assert sorted(world.told) == [("register", "quick"), ("register", "quick"), ("register", "slow")]

    play(world, list(routes), scene)


@pytest.mark.statement(
    "route registrar 5", "Who is not healthy is unregistered at once, a few times in a row, until he is healthy"
)
def test_who_is_not_healthy_is_unregistered() -> None:
    world = World(limit=2)
    world.verdicts = [True, False, False, None, False, True, False, False, False, False]

    async def scene(_: asyncio.Task[None]) -> None:
        for _turn in range(9):
            await world.pass_(20)
        assert world.heard() == [*["register", "unregister", "unregister"], "register", *["unregister"] * 2]

    play(world, [http_route(health_check=CHECK)], scene)


@pytest.mark.statement("route registrar 5", "A check without a verdict counts as one that fails")
def test_no_verdict_is_none_of_health() -> None:
    world = World()
    world.verdicts = [None]

    async def scene(_: asyncio.Task[None]) -> None:
        assert world.heard() == ["unregister"]
        assert '"Route Registrar.healthchecker errored for route"' in world.output.getvalue()

    play(world, [http_route(health_check=CHECK)], scene)


@pytest.mark.statement("route registrar 3", "Each turn is told in the log")
@pytest.mark.parametrize(
    ("changes", "verdict", "lines"),
    [
        ({}, True, ["no healthchecker found for route", "Registering route", "Registered routes successfully"]),
        (
            {"health_check": CHECK},
            True,
            ["healthchecker returned healthy for route", "Registering route", "Registered routes successfully"],
        ),
        (
            {"health_check": CHECK},
            False,
            ["healthchecker returned unhealthy for route", "Unregistering route", "Unregistered routes successfully"],
        ),
    ],
)
def test_log_lines(changes: dict[str, Any], verdict: bool, lines: list[str]) -> None:
    world = World()
    world.verdicts = [verdict]

    async def scene(_: asyncio.Task[None]) -> None:
        told = [
            line.partition('"message":"Route Registrar.')[2].partition('"')[0] for line in world.output.getvalue().splitlines()
        ]
        assert told == lines

    play(world, [http_route(**changes)], scene)


def test_while_there_is_no_connection_nothing_counts_as_told() -> None:
    world = World(limit=1)
    world.verdicts = [True, False, False, False]

    async def scene(_: asyncio.Task[None]) -> None:
        assert world.heard() == ["register"]
        world.connected = False
        await world.pass_(40)
        world.connected = True
        await world.pass_(20)
        assert world.heard() == ["unregister"]

    play(world, [http_route(health_check=CHECK)], scene)


def test_what_is_well_is_repeated_for_those_who_come_later() -> None:
    world = World()
    world.verdicts = [False]

    async def scene(_: asyncio.Task[None]) -> None:
        world.told.clear()
        world.registrar.repeat()
        assert world.told == [("register", "well")]

    play(world, [http_route(name="well"), http_route(name="ill", health_check=CHECK), tcp_route(name="tcp")], scene)


@pytest.mark.statement("route registrar 7", "A registration that fails ends the registrar")
def test_a_failure_ends_it() -> None:
    world = World()

    async def scene(task: asyncio.Task[None]) -> None:
        world.refuses_tcp = True
        await world.pass_(20)
        assert isinstance(task.exception(), RegistrationError)

    play(world, [http_route(), tcp_route()], scene)


@pytest.mark.statement(
    "route registrar 8", "In the end each route is unregistered once, whatever its health and the limit, in order"
)
def test_the_end() -> None:
    world = World(limit=1)
    world.verdicts = [False]

    async def scene(_: asyncio.Task[None]) -> None:
        await world.pass_(60)
        world.told.clear()
        await world.registrar.unregister_all()
        assert world.told == [("unregister", "ill"), ("unregister", "well"), ("unregister", "tcp")]
        await world.pass_(60)
        assert len(world.told) == 3

    play(world, [http_route(name="ill", health_check=CHECK), http_route(name="well"), tcp_route()], scene)


def test_one_that_cannot_be_unregistered_does_not_keep_the_others() -> None:
    world = World()

    async def scene(_: asyncio.Task[None]) -> None:
        world.told.clear()
        world.refuses_tcp = True
        with pytest.raises(RegistrationError, match=r"^no$"):
            await world.registrar.unregister_all()
        assert world.told == [("unregister", "web")]

    play(world, [tcp_route(), http_route()], scene)


@pytest.mark.statement(
    "route registrar 6", "A discovered route has turns as others have; one that is removed is unregistered once"
)
def test_routes_come_and_go() -> None:
    world = World()
    route = http_route(name="new")

    async def scene(_: asyncio.Task[None]) -> None:
        assert world.registrar.is_ready
        world.registrar.add(route)
        assert not world.registrar.is_ready
        await settle()
        assert world.registrar.is_ready
        await world.pass_(20)
        assert world.heard() == ["register", "register"]
        await world.registrar.remove(route)
        await world.pass_(60)
        assert world.heard() == ["unregister"]

    play(world, [], scene)


@pytest.mark.parametrize(
    ("route", "missing"),
    [(http_route(), "message_bus_servers must have at least one entry"), (tcp_route(), "routing_api must have an api_url")],
    ids=["http", "tcp"],
)
def test_a_dynamic_route_that_nobody_can_be_told_of(route: Route, missing: str) -> None:
    clock = ManualClock()
    registrar = Registrar(World(), None, None, 5, clock, Lager("Route Registrar", Sink(stream=StringIO(), clock=clock)))

    async def run() -> None:
        with pytest.raises(RegistrationError, match=missing):
            await registrar.run([route])

    asyncio.run(run())
