"""What a relay does when it has, or is to have, no room for more; and what a connection takes."""

import contextlib
import gc
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cfroute.relay import Settings
from cfroute.relay.dial import Dial
from cfroute.relay.leg import Leg
from cfroute.relay.session import Session

from ..benchmarks import procfs
from ..ports import free_port
from ..waiting import eventually, until
from .plumbing import HOST, Site

pytestmark = pytest.mark.anyio


async def test_no_more_connections_than_wanted(sites: Callable[..., Site]) -> None:
    site = sites(settings=Settings(max_connections=3))
    application = await site.application()
    site.route(application)
    clients = [await site.client(b"%d" % number) for number in range(5)]
    servers = [await application.connection() for _ in range(3)]
    assert site.diary.said == ["paused: 3 connections are the most"]
    clients[0].close()
    servers[0].close()
    await (await application.connection()).expect(b"3")
    assert site.diary.said[1:] == ["resumed", "paused: 3 connections are the most"]
    for client in clients[1:]:
        client.close()
    for server in servers[1:]:
        server.close()
    await (await application.connection()).expect(b"4")


async def test_ports_that_come_while_there_is_no_room_wait_as_well(sites: Callable[..., Site]) -> None:
    site = sites(settings=Settings(max_connections=1))
    application = await site.application()
    site.route(application)
    first, server = await site.pair()
    site.port = free_port()
    listener = next(iter(site.relay.ports.values())).listener
    assert site.relay.change({site.port: listener}) == {}
    await site.client(b"second")
    first.close()
    server.close()
    await (await application.connection()).expect(b"second")


@pytest.mark.filterwarnings("ignore")
async def test_a_defect_costs_one_connection(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    client, _ = await site.pair()
    other, server = await site.pair()

    def fail(leg: Leg) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Leg, "pull", fail)
        client.send(b"x")
        await until(lambda: site.relay.current == 1)
    other.send(b"y")
    await server.expect(b"y")
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]


async def test_a_closed_connection_is_gone_at_once(site: Site) -> None:
    client, server = await site.pair()
    gc.collect()
    gc.disable()
    try:
        client.send(b"x")
        await server.expect(b"x")
        client.close()
        await server.nothing_more()
        server.close()
        await until(lambda: site.relay.current == 0)
        assert not [one for one in gc.get_objects() if isinstance(one, Leg | Session | Dial)]
    finally:
        gc.enable()


# A process of its own


class Process:
    """`tests.relay.alone`, and a backend whose connections only the kernel takes."""

    def __init__(self, *few: int) -> None:
        self.port = free_port()
        self.backend = socket.create_server((HOST, 0), backlog=4096)
        command = [sys.executable, "-m", "tests.relay.alone", self.port, self.backend.getsockname()[1], *few]
        self._process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        self.clients: list[socket.socket] = []
        assert self.line() == "ready"

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def connect(self, count: int) -> None:
        """So many more clients."""
        self.clients += [socket.create_connection((HOST, self.port), timeout=30) for _ in range(count)]

    def arrived(self, count: int) -> list[socket.socket]:
        """So many connections of the relay, at the backend."""
        self.backend.settimeout(30)
        return [self.backend.accept()[0] for _ in range(count)]

    def stop(self) -> None:
        for one in (*self.clients, self.backend):
            one.close()
        self._process.terminate()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def alone() -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def start(*few: int) -> Process:
        made.append(Process(*few))
        return made[-1]

    yield start
    for process in made:
        process.stop()


def test_out_of_descriptors(alone: Callable[..., Process]) -> None:
    relay = alone(10)
    relay.connect(8)
    arrived = relay.arrived(5)
    assert relay.line() == "paused too many open files"
    before, began = procfs.cpu_seconds([relay.pid]), time.monotonic()
    eventually(lambda: time.monotonic() - began > 0.4, "time passes")
    after = procfs.cpu_seconds([relay.pid])
    assert before is None or after is None or after - before < 0.1
    for one in (*arrived, *relay.clients[:5]):
        one.close()
    for one in relay.arrived(3):
        one.sendall(b"welcome")
    for client in relay.clients[5:]:
        assert client.recv(100) == b"welcome"


@contextlib.contextmanager
def descriptors(count: int) -> Iterator[None]:
    """May this process have so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"needs {count} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_connections_take_a_few_kilobytes_each(alone: Callable[..., Process]) -> None:
    with descriptors(4000):
        relay = alone()
        relay.connect(10)
        for one in relay.arrived(10):
            one.close()
        empty = procfs.memory([relay.pid])
        relay.connect(1000)
        arrived = relay.arrived(1000)
        full = procfs.memory([relay.pid])
        for number in (0, 500, 999):
            arrived[number].sendall(b"%d" % number)
            assert relay.clients[10 + number].recv(10) == b"%d" % number
        assert empty is None or full is None or full - empty < 1000 * 10_000
        for one in arrived:
            one.close()


def test_a_slow_reader_does_not_make_it_grow(alone: Callable[..., Process]) -> None:
    relay = alone()
    relay.connect(1)
    [server], [client] = relay.arrived(1), relay.clients
    server.setblocking(False)
    before, block, sent = procfs.memory([relay.pid]), bytes(1 << 20), 0
    with contextlib.suppress(BlockingIOError):
        while sent < 100 << 20:
            sent += server.send(block)
    eventually(lambda: stalls(server, block), "it stalls")
    after = procfs.memory([relay.pid])
    assert before is None or after is None or after - before < 2_000_000
    client.close()
    server.close()


def stalls(server: socket.socket, block: bytes) -> bool:
    """Whether the kernel takes nothing, now and a moment later."""
    for _ in range(2):
        with contextlib.suppress(BlockingIOError):
            server.send(block)
            return False
        time.sleep(0.05)
    return True


def test_its_death_ends_its_connections_and_nobody_elses(alone: Callable[..., Process]) -> None:
    first, second = alone(), alone()
    for relay in (first, second):
        relay.connect(1)
    [dead], [alive] = first.arrived(1), second.arrived(1)
    first._process.kill()
    dead.settimeout(30)
    assert dead.recv(1) == b""
    alive.sendall(b"x")
    assert second.clients[0].recv(1) == b"x"
    for one in (dead, alive):
        one.close()
