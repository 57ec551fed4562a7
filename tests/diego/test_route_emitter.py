"""The emitter as a process, between a real BBS and a real nats-server; the test plays cell and router."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cfroute.diego.route_emitter.bus import Bus
from cfroute.diego.route_emitter.config import Config
from cfroute.lager import Lager, Sink

from .conftest import Bench
from .daemons import Daemon
from .emitters import PROCESS, Nats, Router, desired, emitter, run


def play(bench: Bench, nats_server: Nats, scene: Callable[[Router], Awaitable[None]], interval: int = 60) -> None:
    async def play_() -> None:
        async with Router(nats_server, interval) as router:
            await scene(router)

    asyncio.run(play_())


@pytest.mark.statement("route emitter 4.1", "A change is told at once; its message has upstream's keys in their order")
def test_says_what_happens_at_once(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired()))
    emitter(bench, nats_server)

    async def scene(router: Router) -> None:
        await run(bench)
        _, message, raw = await asyncio.wait_for(router.heard.get(), 30)
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


@pytest.mark.statement("route emitter 5", "The whole table is told as often as the router's greeting asks for")
def test_says_everything_again_as_often_as_the_router_asks(bench: Bench, nats_server: Nats) -> None:
    bench.call(lambda bbs: bbs.desire(desired()))
    asyncio.run(run(bench))

    async def scene(router: Router) -> None:
        daemon = await asyncio.to_thread(emitter, bench, nats_server)
        for _ in range(3):  # the sync or the greeting, and then once a second
            assert (await router.next("router.register"))["uris"] == ["a.cf.localhost"]
        assert await asyncio.to_thread(daemon.stop) == 0

    play(bench, nats_server, scene, interval=1)


@pytest.mark.statement("route emitter 5", "A router that starts is told everything at once")
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
        await asyncio.wait_for(answered.wait(), 30)
        await bus.close()
        return heard

    assert asyncio.run(ask()) == [b"from a router"]


@pytest.mark.statement("route emitter 5", "What is known is told while the BBS is away, and NATS is connected to again")
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
            subject, message, _ = await asyncio.wait_for(router.heard.get(), 30)
            if message["port"] == 61002:
                assert subject == "router.register"
                return

    play(bench, nats_server, scene)


@pytest.mark.statement("route emitter 6", "What is gone is told again, as often and as many times as configured")
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


@pytest.mark.statement("route emitter 1", "An unusable file is fatal: failed-to-parse-config, exit status 2")
@pytest.mark.parametrize("text", ["{", "[]", '{"bbs_address": 5}', "[" * 100_000, None])
def test_ends_with_2_when_the_configuration_is_unusable(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    daemon = Daemon("cfroute.diego.route_emitter.main", ["-config", str(file)], tmp_path / "log")
    daemon.start()
    assert daemon.wait() == 2
    assert '"message":"route-emitter.failed-to-parse-config"' in daemon.log
