"""Whatever happens, and in whatever order the emitter hears of it, the routers end up with what the BBS has.

The BBS is the real one's state; its changes are what the emitter gets as events: late, lost with the stream, or again, when a
list was made meanwhile. The routers are dictionaries. What they should hold is computed from the state without any table.
"""

import asyncio
import contextlib
import io
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.diego.api import ActualLRP, CellPresence, DesiredLRP, Event, Port
from cfroute.diego.bbs.hub import Listener, encode
from cfroute.diego.bbs.lrps import Refused
from cfroute.diego.bbs.state import State
from cfroute.diego.route_emitter.emitter import Emitter
from cfroute.diego.route_emitter.messages import InternalRegistration, Message, Registration
from cfroute.diego.route_emitter.routes import Rules
from cfroute.diego.route_emitter.table import Changes, RoutingTable
from cfroute.diego.route_emitter.watcher import Watcher
from cfroute.lager import Lager, Sink
from cfroute.routing_api.api import TcpRoute
from cfroute.testing.clock import ManualClock

PORTS = (8080, 5222)
RULES = Rules(internal=True, tcp=True)
Operation = tuple[Any, ...]


def routes(hosts: Iterable[str], external: Iterable[int], names: Iterable[str], container_port: int) -> dict[str, Any]:
    return {
        "cf-router": [{"hostnames": list(hosts), "port": container_port}],
        "tcp-router": [{"router_group_guid": "g", "external_port": port, "container_port": container_port} for port in external],
        "internal-router": [{"hostname": name} for name in names],
    }


class World:
    """The BBS, what of its changes the emitter has not heard yet, and what the routers were told."""

    def __init__(self, cell_id: str) -> None:
        self._numbers = itertools.count()
        clock = ManualClock()
        self.state = State(clock, lambda: f"guid-{next(self._numbers)}")
        self.state.heartbeat(CellPresence("a", "10.0.0.1"))
        self.state.upsert_domain("cf-apps", 0)
        self.routers: dict[tuple[Any, ...], Message] = {}
        self.cell_id = cell_id
        self._listener = Listener("lrp_instances.r1", cell_id)
        self._events: deque[Event] = deque()
        self._meanwhile: Iterator[Operation] = iter(())
        log = Lager("test", Sink(stream=io.StringIO()))
        table = RoutingTable(RULES)
        self.watcher = Watcher(self, cell_id, table, Emitter(table, [self]), clock, log)  # type: ignore[arg-type]

    # as the routers

    async def emit(self, changes: Changes, *, remember: bool) -> None:
        self.routers |= {_key(message): message for message in changes.registrations}
        for message in changes.unregistrations:
            assert self.routers.pop(_key(message), None), f"nobody has said that it is there: {message}"

    async def emit_all(self, messages: Iterable[Message]) -> None:
        raise AssertionError("nobody asks for that")

    # as the BBS: things happen between the calls that make a list

    async def domains(self) -> list[str]:
        return self.state.domains()

    async def actual_lrps(self, *, cell_id: str | None) -> list[ActualLRP]:
        found = [lrp for lrp in self.state.instances() if cell_id in (None, lrp.cell_id)]
        self.happen(next(self._meanwhile, ()))
        return found

    async def desired_lrps(self, guids: Iterable[str]) -> list[DesiredLRP]:
        self.happen(next(self._meanwhile, ()))
        return [self.state.desired[guid] for guid in guids if guid in self.state.desired]

    # what happens

    def happen(self, operation: Operation) -> None:
        if operation:
            with contextlib.suppress(Refused):
                getattr(self, "_" + operation[0])(*operation[1:])
            for change in self.state.take():
                if self._listener.wants(change):
                    data = encode(change).partition(b"data: ")[2]
                    self._events.append(msgspec.json.decode(data, type=Event))

    def _desire(self, guid: str, instances: int, *said: Any) -> None:
        self.state.desire(DesiredLRP(guid, f"app-{guid}", instances, "", "", ports=PORTS, routes=routes(*said)))

    def _remove(self, guid: str) -> None:
        self.state.remove(guid)

    def _run(self, guid: str, index: int, cell: str, routable: bool) -> None:
        """It starts, moves, or is hidden; the ports that nobody has are given out again."""
        known = self.state.actual.get(guid, {}).get(index)
        instance = known.instance_guid if known and known.instance_guid else f"i-{next(self._numbers)}"
        cell = known.cell_id if known and known.instance_guid else cell
        taken = {port.host_port for lrp in self.state.instances() for port in lrp.ports}
        free = (number for number in itertools.count(61000) if number not in taken)
        ports = tuple(Port(number, next(free)) for number in PORTS)
        self.state.start(ActualLRP(guid, index, instance, cell, "10.0.0.1", ports, routable=routable))

    def _crash(self, guid: str, index: int) -> None:
        lrp = self.state.actual.get(guid, {}).get(index)
        if lrp:
            self.state.crash(guid, index, lrp.cell_id, lrp.instance_guid, "")

    def _gone(self, guid: str, index: int) -> None:
        lrp = self.state.actual.get(guid, {}).get(index)
        if lrp:
            self.state.gone(guid, index, lrp.instance_guid)

    # what the emitter does

    async def hear(self, count: int) -> None:
        for _ in range(min(count, len(self._events))):
            await self.watcher.handle(self._events.popleft())

    async def sync(self, meanwhile: Iterable[Operation], *, stream_lost: bool) -> None:
        if stream_lost:
            self._events.clear()
        self._meanwhile = iter(list(meanwhile))
        await self.watcher.sync()

    # what should be

    def wanted(self) -> set[tuple[Any, ...]]:
        return {key for lrp in self.state.instances() for key in self._wanted_of(lrp)}

    def _wanted_of(self, lrp: ActualLRP) -> Iterator[tuple[Any, ...]]:
        desired = self.state.desired.get(lrp.process_guid)
        reachable = lrp.state == "RUNNING" and lrp.routable and self.cell_id in ("", lrp.cell_id)
        if desired is None or not reachable or lrp.index >= desired.instances:
            return
        for internal in desired.routes["internal-router"]:
            yield "internal", lrp.address, internal["hostname"], lrp.index
        for port in lrp.ports:
            for http in desired.routes["cf-router"]:
                if http["port"] == port.container_port:
                    yield from (("http", lrp.address, port.host_port, name) for name in http["hostnames"])
            for tcp in desired.routes["tcp-router"]:
                if tcp["container_port"] == port.container_port:
                    yield "tcp", lrp.address, port.host_port, tcp["external_port"]


def _key(message: Message) -> tuple[Any, ...]:
    if isinstance(message, TcpRoute):
        return "tcp", message.backend_ip, message.backend_port, message.port
    if isinstance(message, InternalRegistration):
        return "internal", message.host, message.uris[0], int(message.private_instance_index)
    assert isinstance(message, Registration)
    return "http", message.host, message.port, message.uris[0]


guids = st.sampled_from(["p", "q"])
indexes = st.integers(0, 1)
some_routes = (
    st.lists(st.sampled_from(["a", "b/c"]), unique=True),
    st.lists(st.sampled_from([1024, 1025]), unique=True),
    st.lists(st.sampled_from(["n", "m"]), unique=True),
    st.sampled_from(PORTS),
)
happening = st.one_of(
    st.tuples(st.just("desire"), guids, st.integers(0, 2), *some_routes),
    st.tuples(st.just("remove"), guids),
    st.tuples(st.just("run"), guids, indexes, st.sampled_from("ab"), st.sampled_from([True, True, False])),
    st.tuples(st.just("crash"), guids, indexes),
    st.tuples(st.just("gone"), guids, indexes),
)
step = st.one_of(
    happening,
    happening,
    st.tuples(st.just("hear"), st.integers(1, 4)),
    st.tuples(st.just("sync"), st.booleans(), st.lists(happening, max_size=2)),
)


@pytest.mark.statement("route emitter 5", "Whatever order events and syncs come in, exactly the right routes stay registered")
@pytest.mark.parametrize("cell_id", ["", "a"], ids=["for all cells", "for one cell"])
@given(steps=st.lists(step, max_size=30))
def test_the_routers_end_up_with_what_the_bbs_has(cell_id: str, steps: list[Operation]) -> None:
    async def live() -> World:
        world = World(cell_id)
        for kind, *values in steps:
            if kind == "hear":
                await world.hear(values[0])
            elif kind == "sync":
                await world.sync(values[1], stream_lost=values[0])
            else:
                world.happen((kind, *values))
        await world.hear(10_000)
        return world

    world = asyncio.run(live())
    assert world.routers.keys() == world.wanted()
