"""Emitters that tell TCP routes, with a real BBS, NATS, UAA and Routing API; the test plays the cell."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cfroute.diego.api import Port

from ..ports import free_port
from ..routing_api.uaas import SECRET, Guarded, guarded_routing_api
from .conftest import SERVER, Bench, eventually
from .daemons import Daemon
from .emitters import PROCESS, Nats, Router, configuration, desired, emitter, launch, run

TWO_PORTS = [Port(8080, 61001, 61003, 61001), Port(5222, 61002, 61004, 61002)]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_routing_api(tmp_path_factory.mktemp("routing")) as found:
        yield found


class Routes:
    """What the Routing API has, and where emitters find it."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded
        with guarded.api.client(headers=guarded.uaa.token("admin")) as client:
            self.group = client.get("/router_groups").json()[0]["guid"]

    def desire(self, *external: int) -> dict[str, Any]:
        """The routes of a desired LRP, to port 5222."""
        entries = [{"router_group_guid": self.group, "external_port": port, "container_port": 5222} for port in external]
        return {"tcp-router": entries}

    def present(self) -> list[dict[str, Any]]:
        return self._guarded.tcp_routes()

    def ports(self) -> list[int]:
        return sorted(route["port"] for route in self.present())

    @property
    def settings(self) -> dict[str, Any]:
        """For an emitter."""
        return {
            "enable_tcp_emitter": True,
            "routing_api": {"url": "http://127.0.0.1", "port": self._guarded.api.port, "auth_enabled": True},
            "oauth": {
                "uaa_url": f"https://127.0.0.1:{self._guarded.uaa.port}",
                "client_name": "emitter",
                "client_secret": SECRET,
                "ca_certs": str(self._guarded.uaa.folder / "ca.pem"),
            },
        }


@pytest.fixture
def routes(guarded: Guarded) -> Iterator[Routes]:
    routes = Routes(guarded)
    yield routes
    with guarded.api.client(headers=guarded.uaa.token("emitter")) as client:
        client.post("/tcp_routes/delete", json=routes.present()).raise_for_status()


@pytest.mark.statement("route emitter 4.3", "TCP routes go to the Routing API with a token of the UAA, at every change")
def test_tcp_routes_follow_the_instances(bench: Bench, nats_server: Nats, routes: Routes) -> None:
    bench.call(lambda bbs: bbs.desire(desired(ports=(8080, 5222), routes=routes.desire(1024, 1025))))
    emitter(bench, nats_server, **routes.settings, tcp_enable_tls=True)
    asyncio.run(run(bench, ports=TWO_PORTS))
    eventually(lambda: routes.ports() == [1024, 1025])
    route = min(routes.present(), key=lambda each: each["port"])
    assert route.pop("modification_tag")["guid"]
    assert route == {
        "router_group_guid": routes.group,
        "backend_port": 61002,
        "backend_tls_port": 61004,
        "backend_ip": "10.0.0.1",
        "instance_id": "i-0",
        "port": 1024,
        "ttl": 120,
        "isolation_segment": "",
    }
    bench.call(lambda bbs: bbs.update(PROCESS, routes=routes.desire(1025, 1026)))
    eventually(lambda: routes.ports() == [1025, 1026])
    bench.call(lambda bbs: bbs.retire(PROCESS, 0))  # it is to be stopped, and runs still
    eventually(lambda: routes.ports() == [])


def test_an_instance_that_is_to_stop_leaves_its_tcp_routes_first(bench: Bench, nats_server: Nats, routes: Routes) -> None:
    bench.add_cell(drain_time=2.0)
    emitter(bench, nats_server, **routes.settings)
    bench.call(lambda bbs: bbs.desire(bench.lrp("echo", {"server.py": SERVER}, ports=(5222,), routes=routes.desire(1024))))
    [route] = eventually(routes.present)
    bench.call(lambda bbs: bbs.update("echo", instances=0))
    eventually(lambda: not routes.present())
    with socket.create_connection((route["backend_ip"], route["backend_port"]), 5):
        assert bench.instances("echo")  # who had chosen it just before is still served


@pytest.mark.statement("route emitter 5", "The periodic emit renews TCP routes; what the Routing API has lost comes back by it")
def test_lost_routes_come_back(bench: Bench, nats_server: Nats, routes: Routes, guarded: Guarded) -> None:
    async def scene() -> None:
        async with Router(nats_server, interval=1):
            await run(bench, ports=TWO_PORTS)
            await asyncio.to_thread(emitter, bench, nats_server, **routes.settings)
            await asyncio.to_thread(eventually, lambda: routes.ports() == [1024])
            tags = [route["modification_tag"]["index"] for route in routes.present()]
            await asyncio.to_thread(eventually, lambda: [route["modification_tag"]["index"] for route in routes.present()] > tags)
            await asyncio.to_thread(guarded.uaa.stop)
            await asyncio.to_thread(guarded.uaa.start)  # with another key: the token that the emitter has is refused
            with httpx.Client(headers=guarded.uaa.token("emitter")) as client:
                gone = await asyncio.to_thread(routes.present)
                url = f"http://127.0.0.1:{routes.settings['routing_api']['port']}/routing/v1/tcp_routes/delete"
                client.post(url, json=gone).raise_for_status()
            await asyncio.to_thread(eventually, lambda: routes.ports() == [1024])

    bench.call(lambda bbs: bbs.desire(desired(ports=(8080, 5222), routes=routes.desire(1024))))
    asyncio.run(scene())


def test_a_routing_api_that_is_away_does_not_hold_up_http(bench: Bench, nats_server: Nats, guarded: Guarded) -> None:
    nowhere = {"enable_tcp_emitter": True, "routing_api": {"url": "http://127.0.0.1", "port": free_port()}}
    both = desired().routes | {"tcp-router": [{"router_group_guid": "g", "external_port": 1024, "container_port": 8080}]}
    bench.call(lambda bbs: bbs.desire(desired(routes=both)))
    daemon = emitter(bench, nats_server, **nowhere)

    async def scene() -> None:
        async with Router(nats_server, interval=60) as router:
            await run(bench)
            await router.next("router.register")

    asyncio.run(scene())
    eventually(lambda: daemon.log.count('"message":"route-emitter.tcp.unable-to-upsert"') >= 2)
    assert '"message":"route-emitter.using-noop-token-fetcher"' in daemon.log


def test_an_emitter_for_tcp_routes_alone_needs_no_nats(bench: Bench, routes: Routes) -> None:
    both = desired().routes | routes.desire(1024)
    bench.call(lambda bbs: bbs.desire(desired(ports=(8080, 5222), routes=both)))
    asyncio.run(run(bench, ports=TWO_PORTS))
    debug = f"127.0.0.1:{free_port()}"
    alone = {"cell_id": "", "uuid": "brain", "cfroute": {"tcp_only": True}, "debug_address": debug}
    daemon = emitter(bench, None, **routes.settings, **alone, log_level="error")
    eventually(lambda: routes.ports() == [1024])
    assert not daemon.log
    assert httpx.put(f"http://{debug}/log-level", content=b"info", trust_env=False).status_code == 200
    assert daemon.stop() == 0
    assert [line["message"] for line in map(json.loads, daemon.log.splitlines())][-2:] == [
        "route-emitter.finished",
        "route-emitter.exited",
    ]
    assert routes.ports() == [1024]  # who ends takes nothing back


@pytest.mark.statement("route emitter 4.2", "Internal routes have subjects, a greeting and a schedule of their own")
def test_internal_routes(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired(routes={"internal-router": [{"hostname": "web.apps.internal"}]})))

    async def scene() -> None:
        async with Router(nats_server, interval=1, subject="service-discovery") as discovery:
            await asyncio.to_thread(emitter, bench, nats_server, enable_internal_emitter=True)
            await run(bench, instance_address="10.255.0.9")
            for _ in range(2):  # at once, and again
                message = await discovery.next("service-discovery.register")
                assert (message["host"], message["uris"]) == ("10.255.0.9", ["web.apps.internal", "0.web.apps.internal"])
            client = bench.client()
            await client.retire(PROCESS, 0)
            await client.aclose()
            while (await discovery.heard.get())[0] != "service-discovery.unregister":
                pass

    asyncio.run(asyncio.wait_for(scene(), 30))


TCP: dict[str, Any] = {"enable_tcp_emitter": True, "routing_api": {"url": "http://127.0.0.1", "port": 1, "auth_enabled": True}}
UNUSABLE: dict[str, tuple[dict[str, Any], int]] = {
    "invalid-uuid": ({"cell_id": ""}, 2),
    "invalid-route-ttl": (TCP | {"tcp_route_ttl": "65536s"}, 2),
    "failed-parsing-uaa-url": (TCP | {"oauth": {"uaa_url": "https://[::1"}}, 2),
    "failed-parsing-uaa-host": (TCP | {"oauth": {"uaa_url": "https://uaa.test"}}, 2),
    "failed-parsing-uaa-port": (TCP | {"oauth": {"uaa_url": "https://uaa.test:https"}}, 2),
    "failed-fetching-uaa-key": (TCP | {"oauth": {"uaa_url": "https://127.0.0.1:1"}}, 2),
    "failed-to-create-locket-client": (
        {"cell_id": "", "uuid": "me", "locket_enabled": True, "locket_address": "127.0.0.1:1", "locket_ca_cert_file": "/nowhere"},
        2,
    ),
    "failed-to-initialize-nats-client": ({"nats_tls_enabled": True, "nats_ca_cert_file": "/nowhere"}, 1),
}


@pytest.mark.statement("route emitter 1", "What it cannot start with is fatal, each with its own message")
@pytest.mark.parametrize("message", UNUSABLE)
def test_what_it_cannot_start_with(bench_files: Callable[..., dict[str, Any]], tmp_path: Path, message: str) -> None:
    changes, status = UNUSABLE[message]
    daemon = launch(tmp_path, bench_files(locket_session_name="emitter1", **changes))
    assert daemon.wait() == status
    last = json.loads(daemon.log.splitlines()[-1])
    assert (last["source"], last["message"], last["log_level"]) == ("emitter1", f"emitter1.{message}", 3 if status == 2 else 2)
    assert last["data"]["error"]


@pytest.mark.statement("route emitter 2", "Without NATS at the start: finished-with-failure within 5 s, exit status 0")
def test_without_nats(bench_files: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    daemon: Daemon = launch(tmp_path, bench_files())
    assert daemon.wait() == 0
    said = [json.loads(line)["message"] for line in daemon.log.splitlines()]
    assert said[-3:] == [
        "route-emitter.nats-runner.connecting-to-nats-failed",
        "route-emitter.finished-with-failure",
        "route-emitter.exited",
    ]


@pytest.fixture
def bench_files(bench: Bench) -> Callable[..., dict[str, Any]]:
    """Makes configurations for a NATS that is not there."""
    nowhere = Nats()

    def make(**changes: Any) -> dict[str, Any]:
        return configuration(bench, nowhere, **changes)

    return make
