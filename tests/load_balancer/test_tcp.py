"""TCP connections at the load balancer: they go to the same port of a TCP router that is healthy."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cfroute.load_balancer.config import Tcp, TcpRouter
from cfroute.load_balancer.tcp import TcpBalancer
from cfroute.load_balancer.tcp_routers import TcpRouters
from cfroute.logs import Logger
from cfroute.testing import ManualClock

from ..ports import free_port
from ..proxy.plumbing import Application, Peer, listen
from ..waiting import until

pytestmark = pytest.mark.anyio

HOSTS = ("127.77.0.1", "127.77.0.2")


class Site:
    """A load balancer with a port, and what listens on that port of two TCP routers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.clock = ManualClock()
        self.log = io.StringIO()
        self.applications: dict[str, Application] = {}
        self._peers: list[Peer] = []
        routers = [TcpRouter(host, f"http://{host}/health") for host in HOSTS]
        self.routers = TcpRouters(routers, Logger("load-balancer", stream=self.log))
        self._config = Tcp(ports=f"{self.port}", routers=routers)

    def start(self) -> None:
        self.balancer = TcpBalancer(self._config, self.routers, self.clock, Logger("load-balancer", stream=self.log))

    def judge(self, *reasons: str) -> None:
        """The result of a health check of each; an empty reason means healthy."""
        for router, reason in zip(self.routers.all, reasons, strict=True):
            self.routers.report(router, reason)

    async def listen(self, host: str) -> Application:
        """A TCP router has a route for the port."""
        made = self.applications[host] = await listen(host=host, port=self.port)
        return made

    async def client(self, data: bytes = b"") -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        self._peers.append(peer)
        peer.send(data)
        return peer

    @property
    def lines(self) -> list[tuple[str, dict[str, Any]]]:
        """What has been logged: message and data."""
        return [(line["message"], line["data"]) for line in map(json.loads, self.log.getvalue().splitlines())]

    def stop(self) -> None:
        self.balancer.close()
        for one in self.applications.values():
            one.listener.close()
        for peer in (*self._peers, *(peer for one in self.applications.values() for peer in one.peers)):
            peer.writer.transport.abort()


@pytest.fixture
async def site(anyio_backend: Any) -> AsyncIterator[Site]:
    site = Site()
    site.start()
    for host in HOSTS:
        await site.listen(host)
    site.judge("", "")
    yield site
    site.stop()


async def test_connections_go_to_each_router_in_turn(site: Site) -> None:
    for number in range(4):
        client = await site.client(b"hello")
        router = await site.applications[HOSTS[number % 2]].connection()
        await router.expect(b"hello")
        router.send(b"welcome")
        await client.expect(b"welcome")
    assert site.balancer.current == 4


async def test_who_drains_gets_no_more_connections_and_keeps_those_it_has(site: Site) -> None:
    client = await site.client(b"before")
    router = await site.applications[HOSTS[0]].connection()
    await router.expect(b"before")
    site.judge("answered 503 Service Unavailable", "")
    for _ in range(3):
        await site.client(b"after")
        await (await site.applications[HOSTS[1]].connection()).expect(b"after")
    router.send(b"still here")
    await client.expect(b"still here")
    assert ("router-unhealthy", {"router": HOSTS[0], "reason": "answered 503 Service Unavailable"}) in site.lines


async def test_who_has_no_route_for_the_port_is_passed_over_and_is_still_healthy(site: Site) -> None:
    site.applications[HOSTS[0]].listener.close()
    for _ in range(2):
        await site.client(b"hello")
        await (await site.applications[HOSTS[1]].connection()).expect(b"hello")
    name = f"{HOSTS[0]}:{site.port}"
    refused = {"router": name, "error": f"dial tcp {name}: connect: connection refused"}
    assert ("tcp-router-failed", refused) in site.lines
    assert len(site.routers.healthy) == 2


@pytest.mark.parametrize("all_ill", [True, False])
async def test_nobody_takes_the_connection(site: Site, all_ill: bool) -> None:
    for application in site.applications.values():
        application.listener.close()
    if all_ill:
        site.judge("x", "y")
    client = await site.client(b"hello")
    await client.nothing_more()


async def test_the_death_of_one_router_is_nothing_to_the_other(site: Site) -> None:
    clients = [await site.client(b"x") for _ in HOSTS]
    peers = [await site.applications[host].connection() for host in HOSTS]
    site.applications[HOSTS[0]].listener.close()
    peers[0].reset()
    await clients[0].nothing_more()
    await peers[1].expect(b"x")
    peers[1].send(b"alive")
    await clients[1].expect(b"alive")


async def test_a_port_that_is_somebody_elses_is_tried_again(anyio_backend: Any) -> None:
    site = Site()
    with socket.create_server(("127.0.0.1", site.port)):
        site.start()
        assert site.routers.missing == {site.port: "address already in use"}
        assert site.routers.listening == set()
        site.clock.advance(1.0)
        assert site.lines == [("tcp-listen-failed", {"ports": [site.port], "error": "address already in use"})]
    site.clock.advance(1.0)
    assert site.routers.missing == {}
    assert site.lines[1:] == [("tcp-listening-again", {"ports": [site.port]})]
    site.judge("", "")
    await site.listen(HOSTS[0])
    await site.client(b"hello")
    await (await site.applications[HOSTS[0]].connection()).expect(b"hello")
    await until(lambda: site.balancer.current == 1)
    site.stop()
