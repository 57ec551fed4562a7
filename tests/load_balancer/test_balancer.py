"""What happens to a request at the load balancer, and that a Gorouter which ends takes none with it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cfroute.clock import Clock, SystemClock
from cfroute.load_balancer.balancer import Balancer, StatusPages
from cfroute.load_balancer.config import Router
from cfroute.load_balancer.health import Place, check_for_ever
from cfroute.load_balancer.routers import Routers
from cfroute.logs import Logger
from cfroute.proxy.answer import Answer
from cfroute.proxy.server import Limits, ProxyServer
from cfroute.testing import ManualClock

from ..proxy.plumbing import OK, Application, Peer, get, listen, post, running
from ..waiting import until

pytestmark = pytest.mark.anyio


class Site:
    """A load balancer in front of two Gorouters."""

    def __init__(self, applications: list[Application], clock: Clock) -> None:
        self.gorouters = applications
        self.log = io.StringIO()
        log = Logger("load-balancer", stream=self.log)
        self.routers = Routers([Router(one.host, one.port, 1) for one in applications], log)
        self.proxy = ProxyServer(Balancer(self.routers, log), clock, Limits(exchange_timeout=60))
        self.status = ProxyServer(StatusPages(self.routers), clock, Limits())
        self.port = self.status_port = 0
        self._peers: list[Peer] = []

    def judge(self, *reasons: str) -> None:
        """The result of a health check of each; an empty reason means healthy."""
        for backend, reason in zip(self.routers.all, reasons, strict=True):
            self.routers.report(backend, reason)

    @property
    def lines(self) -> list[tuple[str, dict[str, Any]]]:
        """What has been logged: message and data."""
        return [(line["message"], line["data"]) for line in map(json.loads, self.log.getvalue().splitlines())]

    async def client(self, data: bytes = b"", *, port: int = 0) -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", port or self.port))
        self._peers.append(peer)
        peer.send(data)
        return peer

    def stop(self) -> None:
        self.proxy.abort()
        self.status.abort()
        for one in self.gorouters:
            one.listener.close()
            one.destination.close()
        for peer in (*self._peers, *(peer for one in self.gorouters for peer in one.peers)):
            peer.writer.transport.abort()


@pytest.fixture
async def site(anyio_backend: Any) -> AsyncIterator[Site]:
    site = Site([await listen(), await listen()], ManualClock())
    site.port = await site.proxy.listen("127.0.0.1", 0)
    site.status_port = await site.status.listen("127.0.0.1", 0)
    site.judge("", "")
    yield site
    site.stop()


async def test_requests_go_to_each_gorouter_in_turn(site: Site) -> None:
    client = await site.client()
    connections: list[Peer] = []
    for number in range(6):
        client.send(get())
        gorouter = site.gorouters[(number + 1) % 2]
        if number < 2:
            connections.append(await gorouter.connection())
        peer = connections[number % 2]
        await peer.head()
        peer.send(OK)
        assert (await client.response())[0] == 200
    assert [one.connections for one in site.gorouters] == [1, 1]


async def test_what_a_gorouter_is_told(site: Site) -> None:
    client = await site.client(
        get("/p?q", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1",
            "Connection: X-Secret", "X-Secret: 1", "Keep-Alive: 5", "TE: gzip, trailers", "Host-X: y")
    )  # fmt: skip
    gorouter = await site.gorouters[1].connection()
    assert (await gorouter.head()).decode().split("\r\n") == [
        "GET /p?q HTTP/1.1", "Host: a.test", "Host-X: y", "Te: trailers", "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1",
        f"X-Forwarded-Port: {site.port}", "X-Forwarded-Proto: http", "", "",
    ]  # fmt: skip
    gorouter.send(b"HTTP/1.1 404 Not Found\r\nX-Error: unknown_route\r\nConnection: X-Y\r\nX-Y: 1\r\nContent-Length: 0\r\n\r\n")
    status, head, _ = await client.response()
    assert status == 404
    assert b"\r\nX-Error: unknown_route\r\n" in head
    assert b"X-Y" not in head


async def test_a_websocket_passes(site: Site) -> None:
    client = await site.client(get("/", "Connection: upgrade", "Upgrade: WebSocket"))
    gorouter = await site.gorouters[1].connection()
    assert b"\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n" in await gorouter.head()
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    gorouter.send(switched)
    await client.expect(switched)
    client.send(b"\x81\x00")
    await gorouter.expect(b"\x81\x00")
    gorouter.close()
    await client.nothing_more()


async def test_who_is_ill_gets_no_requests(site: Site) -> None:
    site.judge("answered 503", "")
    for _ in range(3):
        client = await site.client(get("/", "Connection: close"))
        peer = site.gorouters[1].peers[0] if site.gorouters[1].peers else await site.gorouters[1].connection()
        await peer.head()
        peer.send(OK)
        assert (await client.response())[0] == 200
    assert site.gorouters[0].connections == 0
    site.judge("", "")
    site.judge("", "")
    assert [message for message, _ in site.lines] == [
        "router-healthy", "router-healthy", "router-unhealthy", "router-healthy",
    ]  # fmt: skip
    await site.client(get())
    await site.client(get())
    await site.gorouters[0].request()


async def test_idle_connections_to_who_is_ill_are_closed(site: Site) -> None:
    client = await site.client(get())
    gorouter = await site.gorouters[1].request()
    gorouter.send(OK)
    await client.response()
    site.judge("", "answered 503")
    await gorouter.nothing_more()


@pytest.mark.parametrize("request_", [get(), post(b"abc")])
async def test_a_refused_connection_is_tried_elsewhere_and_counts_as_ill(site: Site, request_: bytes) -> None:
    site.gorouters[1].listener.close()
    client = await site.client(request_)
    gorouter = await site.gorouters[0].connection()
    assert await gorouter.next_request() in (b"", b"abc")
    gorouter.send(OK)
    assert (await client.response())[0] == 200
    name = f"127.0.0.1:{site.gorouters[1].port}"
    error = f"dial tcp {name}: connect: connection refused"
    assert site.lines[2:] == [
        ("router-failed", {"router": name, "error": error, "host": "a.test"}),
        ("router-unhealthy", {"router": name, "reason": error}),
    ]
    assert [one.healthy for one in site.routers.all] == [True, False]


async def test_all_refuse(site: Site) -> None:
    for one in site.gorouters:
        one.listener.close()
    client = await site.client(get() + get())
    for _ in range(2):
        assert (await client.response())[::2] == (503, b"load balancer: no Gorouter is healthy\n")


async def test_none_is_healthy(site: Site) -> None:
    site.judge("answered 503", "no answer within 2 s")
    client = await site.client(get())
    status, head, body = await client.response()
    assert (status, body) == (503, b"load balancer: no Gorouter is healthy\n")
    assert b"\r\nContent-Type: text/plain; charset=utf-8\r\n" in head


@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
async def test_what_is_safe_is_tried_elsewhere_when_a_gorouter_dies(site: Site, end: Callable[[Peer], None]) -> None:
    client = await site.client(get())
    end(await site.gorouters[1].request())
    gorouter = await site.gorouters[0].request()
    gorouter.send(OK)
    assert (await client.response())[0] == 200


async def test_what_may_have_been_done_is_not(site: Site) -> None:
    client = await site.client(post(b"abc"))
    gorouter = await site.gorouters[1].connection()
    await gorouter.next_request()
    gorouter.close()
    name = f"127.0.0.1:{site.gorouters[1].port}"
    assert (await client.response())[::2] == (502, f"load balancer: the Gorouter at {name} failed: EOF\n".encode())
    assert site.gorouters[0].connections == 0


async def test_a_gorouter_that_takes_too_long(site: Site) -> None:
    client = await site.client(get())
    await site.gorouters[1].request()
    clock = site.proxy.clock
    assert isinstance(clock, ManualClock)
    clock.advance(70)
    assert (await client.response())[::2] == (504, b"load balancer: the Gorouter did not answer in time\n")


async def test_the_status_page(site: Site) -> None:
    site.judge("", "answered 503")
    names = [f"127.0.0.1:{one.port}" for one in site.gorouters]
    client = await site.client(get("/healthz"), port=site.status_port)
    status, _, body = await client.response()
    assert status == 200
    assert json.loads(body) == {
        "gorouters": [
            {"router": names[0], "healthy": True, "reason": ""},
            {"router": names[1], "healthy": False, "reason": "answered 503"},
        ]
    }
    site.judge("x", "y")
    client.send(get("/healthz") + get("/other"))
    assert (await client.response())[0] == 503
    assert (await client.response())[::2] == (404, b"load balancer: there is only /healthz\n")


# A Gorouter is replaced while requests flow


async def test_draining_one_of_two_gorouters_loses_nothing() -> None:
    async with running(clock=SystemClock()) as one, running(clock=SystemClock()) as two:
        for rig in (one, two):
            rig.policy.at_once = lambda exchange: Answer(200, exchange.request.target)
        healthy = {one.port: True, two.port: True}

        async def probe(place: Place) -> str:
            return "" if healthy[place.port] else "answered 503"

        site = Site([], SystemClock())
        gorouters = [Router("127.0.0.1", rig.port, rig.port) for rig in (one, two)]
        site.routers = Routers(gorouters, Logger("load-balancer", stream=site.log))
        site.proxy = ProxyServer(Balancer(site.routers, Logger("load-balancer", stream=site.log)), SystemClock(), Limits())
        site.port = await site.proxy.listen("127.0.0.1", 0)
        checking = asyncio.ensure_future(check_for_ever(site.routers, 0.01, SystemClock(), probe))
        await until(lambda: len(site.routers.healthy) == 2)
        done, stop = [0] * 8, asyncio.Event()

        async def customer(number: int) -> None:
            client = await site.client()
            while not stop.is_set():
                path = f"/{number}/{done[number]}"
                client.send(post(b"abc") if number % 2 else get(path))
                status, _, body = await client.response()
                assert (status, body) == (200, b"/" if number % 2 else path.encode())
                done[number] += 1

        async with asyncio.TaskGroup() as tasks:
            for number in range(8):
                tasks.create_task(customer(number))
            await until(lambda: min(done) > 20 and one.told and two.told)
            healthy[one.port] = False
            await until(lambda: len(site.routers.healthy) == 1)
            before = list(done)  # what was under way to the first one ends; a Gorouter waits longer than that (drain_wait)
            await until(lambda: all(now > then + 1 for now, then in zip(done, before, strict=True)))
            one.server.stop_listening()
            assert await one.server.drain(5)
            one.server.abort()
            sofar = len(one.told), min(done)
            await until(lambda: min(done) > sofar[1] + 20)
            assert len(one.told) == sofar[0]
            stop.set()
        checking.cancel()
        site.stop()


async def test_an_early_answer_to_a_large_body_gets_through() -> None:
    """The Gorouter answers, and closes, while the body is still on its way to it."""
    async with running(clock=SystemClock()) as gorouter:
        gorouter.policy.at_once = lambda exchange: Answer(404, b"unknown route")
        site = Site([], SystemClock())
        site.routers = Routers([Router("127.0.0.1", gorouter.port, 1)], Logger("load-balancer", stream=site.log))
        site.proxy = ProxyServer(Balancer(site.routers, Logger("load-balancer", stream=site.log)), SystemClock(), Limits())
        site.port = await site.proxy.listen("127.0.0.1", 0)
        site.judge("")
        for framing in (["Content-Length: 5000000"], ["Transfer-Encoding: chunked"]) * 5:
            client = await site.client(get("/", *framing, method="POST"))
            client.send((b"4c4b40\r\n" if "chunked" in framing[0] else b"") + b"x" * 5_000_000)
            assert (await client.response())[::2] == (404, b"unknown route")
            client.close()
        site.stop()
