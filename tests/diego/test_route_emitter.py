"""The emitter as a process, between a real BBS and a real nats-server; the test plays cell and router."""

import asyncio
import io
import json
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nats
import pytest

from cfroute.diego.api import DesiredLRP, Port
from cfroute.diego.route_emitter.bus import Bus
from cfroute.diego.route_emitter.config import Config
from cfroute.lager import Lager, Sink
from cfroute.nats.server import find_binary

from .conftest import Bench, eventually, free_port
from .daemons import Daemon

CELL = "diego_cell/0"
ROUTE = {"cf-router": [{"hostnames": ["a.cf.localhost"], "port": 8080, "route_service_url": "", "protocol": "http1"}]}


class Nats:
    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [find_binary(), "-a", "127.0.0.1", "-p", str(self.port), "--user", "u", "--pass", "p"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()


@pytest.fixture
def nats_server() -> Iterator[Nats]:
    server = Nats()
    server.start()
    yield server
    server.kill()


class Router:
    """Greets emitters, and writes down what they say."""

    def __init__(self, nats_server: Nats, interval: int) -> None:
        self._server = nats_server
        self._interval = interval
        self.heard: asyncio.Queue[tuple[str, dict[str, Any], bytes]] = asyncio.Queue()

    async def __aenter__(self) -> "Router":
        self.client = await nats.connect(
            f"nats://127.0.0.1:{self._server.port}", user="u", password="p", reconnect_time_wait=0.05
        )
        for subject in ("router.register", "router.unregister"):
            await self.client.subscribe(subject, cb=self._hear)
        await self.client.subscribe("router.greet", cb=self._answer)
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def start(self) -> None:
        await self.client.publish("router.start", self._start)
        await self.client.flush()

    @property
    def _start(self) -> bytes:
        message = {"id": "0-x", "hosts": ["127.0.0.1"], "minimumRegisterIntervalInSeconds": self._interval}
        return json.dumps(message | {"pruneThresholdInSeconds": 120}).encode()

    async def _answer(self, message: Any) -> None:
        await self.client.publish(message.reply, self._start)

    async def _hear(self, message: Any) -> None:
        self.heard.put_nowait((message.subject, json.loads(message.data), message.data))

    async def next(self, subject: str) -> dict[str, Any]:
        """The next message; it has to be on this subject."""
        heard, message, _ = await asyncio.wait_for(self.heard.get(), 10)
        assert heard == subject, message
        return message


def emitter(bench: Bench, nats_server: Nats, **changes: Any) -> Daemon:
    c = bench.certificates
    health = free_port()
    config = {
        "bbs_address": bench.bbs_url,
        "bbs_ca_cert_file": c.ca,
        "bbs_client_cert_file": c.certificate,
        "bbs_client_key_file": c.key,
        "cell_id": CELL,
        "nats_addresses": f"127.0.0.1:{nats_server.port}",
        "nats_username": "u",
        "nats_password": "p",
        "healthcheck_address": f"127.0.0.1:{health}",
        "jitter_factor": 0,
        "bbs_client_session_cache_size": 0,
        "log_level": "debug",
    } | changes
    file = bench.folder / "route_emitter.json"
    file.write_text(json.dumps(config))
    daemon = Daemon("cfroute.diego.route_emitter.main", ["-config", str(file)], bench.folder / "emitter.log")
    daemon.start()
    bench.cells.append(daemon)
    eventually(lambda: socket.create_connection(("127.0.0.1", health), 1).close() is None)
    return daemon


def desired(**changes: Any) -> DesiredLRP:
    base = {
        "process_guid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8-1",
        "app_guid": "app",
        "instances": 1,
        "droplet_url": "",
        "command": "",
        "routes": ROUTE,
        "metric_tags": {"app_name": "web"},
    }
    return DesiredLRP(**(base | changes))


PROCESS = desired().process_guid


async def run(bench: Bench, instance: str = "i-0", index: int = 0, port: int = 61001) -> None:
    client = bench.client()
    await client.start(PROCESS, index, CELL, instance, address="10.0.0.1", ports=[Port(8080, port)], availability_zone="z1")
    await client.aclose()


def play(bench: Bench, nats_server: Nats, scene: Callable[[Router], Awaitable[None]], interval: int = 60) -> None:
    async def play_() -> None:
        async with Router(nats_server, interval) as router:
            await scene(router)

    asyncio.run(play_())


def test_says_what_happens_at_once(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired()))
    emitter(bench, nats_server)

    async def scene(router: Router) -> None:
        await run(bench)
        _, message, raw = await asyncio.wait_for(router.heard.get(), 10)
        assert list(message) == [
            "host",
            "port",
            "uris",
            "protocol",
            "app",
            "private_instance_id",
            "private_instance_index",
            "server_cert_domain_san",
            "endpoint_updated_at_ns",
            "tags",
            "availability_zone",
        ]
        assert message | {"endpoint_updated_at_ns": 0} == {
            "host": "10.0.0.1",
            "port": 61001,
            "uris": ["a.cf.localhost"],
            "protocol": "http1",
            "app": "app",
            "private_instance_id": "i-0",
            "private_instance_index": "0",
            "server_cert_domain_san": "i-0",
            "endpoint_updated_at_ns": 0,
            "tags": {
                "app_id": "app",
                "app_name": "web",
                "component": "route-emitter",
                "instance_id": "0",
                "process_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                "process_instance_id": "i-0",
                "process_type": "web",
                "source_id": "app",
            },
            "availability_zone": "z1",
        }
        assert b", " not in raw

        client = bench.client()
        new = [{"hostnames": ["b.cf.localhost"], "port": 8080, "route_service_url": "https://r", "options": None}]
        await client.update(PROCESS, routes={"cf-router": new})
        registered = await router.next("router.register")
        assert (registered["uris"], registered["route_service_url"]) == (["b.cf.localhost"], "https://r")
        assert "endpoint_updated_at_ns" not in registered
        assert (await router.next("router.unregister"))["uris"] == ["a.cf.localhost"]

        await client.retire(PROCESS, 0)
        gone = await router.next("router.unregister")
        assert (gone["uris"], gone["port"]) == (["b.cf.localhost"], 61001)
        await client.aclose()

    play(bench, nats_server, scene)


def test_says_everything_again_as_often_as_the_router_asks(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired()))
    asyncio.run(run(bench))

    async def scene(router: Router) -> None:
        daemon = await asyncio.to_thread(emitter, bench, nats_server)
        for _ in range(3):  # the sync or the greeting, and then once a second
            assert (await router.next("router.register"))["uris"] == ["a.cf.localhost"]
        assert await asyncio.to_thread(daemon.stop) == 0

    play(bench, nats_server, scene, interval=1)


def test_answers_the_start_of_a_router(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired()))
    asyncio.run(run(bench))
    daemon = emitter(bench, nats_server)

    async def first(router: Router) -> None:
        await router.next("router.register")

    async def another(router: Router) -> None:
        await router.next("router.register")

    play(bench, nats_server, first)
    play(bench, nats_server, another)
    assert daemon.stop() == 0
    assert '"message":"route-emitter.watcher.sync.complete"' in daemon.log


def test_that_nobody_listens_is_no_answer(nats_server: Nats) -> None:
    """The server says so to whoever asks for a reply; an emitter that started before all routers took it for a broken one."""
    nobody = dict.fromkeys(("bbs_address", "bbs_ca_cert_file", "bbs_client_cert_file", "bbs_client_key_file"), "")
    config = Config(**nobody, nats_addresses=f"127.0.0.1:{nats_server.port}", nats_username="u", nats_password="p")

    async def ask() -> list[bytes]:
        bus, heard, answered = Bus(config, Lager("x", Sink(stream=io.StringIO()))), list[bytes](), asyncio.Event()

        def hear(data: bytes) -> None:
            heard.append(data)
            answered.set()

        await bus.connect()
        await bus.subscribe("answers", hear)
        await bus.publish("router.greet", b"", "answers")
        await bus.publish("answers", b"from a router")
        await asyncio.wait_for(answered.wait(), 10)
        await bus.close()
        return heard

    assert asyncio.run(ask()) == [b"from a router"]


def test_goes_on_after_nats_and_bbs_were_killed(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired()))
    asyncio.run(run(bench))
    emitter(bench, nats_server)

    async def scene(router: Router) -> None:
        await router.next("router.register")
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(bench.bbs.kill)
        await asyncio.to_thread(nats_server.start)
        await router.next("router.register")  # from what it knows, though the BBS is away
        await asyncio.to_thread(bench.start_bbs)
        await run(bench, port=61002)  # the same instance, elsewhere
        while True:
            subject, message, _ = await asyncio.wait_for(router.heard.get(), 10)
            if message["port"] == 61002:
                assert subject == "router.register"
                return

    play(bench, nats_server, scene)


def test_repeats_that_an_endpoint_is_gone(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired()))
    asyncio.run(run(bench))
    emitter(bench, nats_server, unregistration_interval="200ms", unregistration_send_count=2)

    async def scene(router: Router) -> None:
        await router.next("router.register")
        client = bench.client()
        await client.retire(PROCESS, 0)
        await client.aclose()
        for _ in range(3):
            await router.next("router.unregister")

    play(bench, nats_server, scene)


@pytest.mark.parametrize("text", ["{", "[]", '{"bbs_address": 5}', None])
def test_ends_with_2_when_the_configuration_is_unusable(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    daemon = Daemon("cfroute.diego.route_emitter.main", ["-config", str(file)], tmp_path / "log")
    daemon.start()
    assert daemon.wait() == 2
    assert '"message":"route-emitter.failed-to-parse-config"' in daemon.log
