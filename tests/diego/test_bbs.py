"""The BBS as a process, through its client."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from cfroute.diego.api import ActualLRP, CellPresence, DesiredLRP, InstanceUsage, ModificationTag, Port, Task
from cfroute.diego.bbs.hub import QUEUE, Hub, Listener
from cfroute.diego.bbs.state import Change
from cfroute.diego.bbs.store import Store, StoreError
from cfroute.diego.client import BBSClient, BBSError, BBSUnavailable

from .conftest import Bench, eventually

LRP = DesiredLRP("p", "app", 1, "http://droplet", "run", routes={"cf-router": []})
CELL = CellPresence("a", "127.0.0.1")


def test_keeps_what_it_was_told_over_a_kill(bench: Bench) -> None:
    async def tell(bbs: Any) -> None:
        await bbs.desire(LRP)
        await bbs.update("p", instances=2)
        await bbs.start("p", 0, "a", "i-0", address="h", ports=[Port(8080, 1)])
        await bbs.report_usage([InstanceUsage("i-0", {"mem": 7.0})])
        await bbs.upsert_domain("cf-apps", 60)
        assert await bbs.domains() == ["cf-apps"]
        assert (await bbs.actual_lrps(cell_id="a"))[0].usage == {"mem": 7.0}

    bench.call(tell)
    bench.bbs.kill()
    with pytest.raises(BBSUnavailable):
        bench.call(lambda bbs: bbs.tasks())
    bench.start_bbs()

    [desired] = bench.call(lambda bbs: bbs.desired_lrps(["p", "none"]))
    assert (desired.instances, desired.modification_tag.index) == (2, 1)
    actual = bench.call(lambda bbs: bbs.actual_lrps(process_guid="p"))
    assert [(lrp.index, lrp.state) for lrp in actual] == [(0, "RUNNING"), (1, "UNCLAIMED")]
    assert bench.call(lambda bbs: bbs.sync([])) == {"created": 0, "changed": 0, "removed": 1}


def test_refuses_in_diegos_words(bench: Bench) -> None:
    cases = {
        "ResourceNotFound": lambda bbs: bbs.update("p", instances=1),
        "InvalidRequest": lambda bbs: bbs._call("desired_lrp/desire", {"process_guid": 5}),
    }
    for name, call in cases.items():
        with pytest.raises(BBSError) as refusal:
            bench.call(call)
        assert refusal.value.type == name
    with pytest.raises(BBSError):
        bench.call(lambda bbs: bbs.retire("p", 0))


def test_lets_nobody_in_without_a_certificate(bench: Bench) -> None:
    stranger = ssl.create_default_context(cafile=bench.certificates.ca)
    with httpx.Client(verify=stranger, trust_env=False) as client, pytest.raises(httpx.TransportError):
        client.post(f"{bench.bbs_url}/v1/domains/list")


def test_tells_each_what_concerns_it(bench: Bench) -> None:
    async def scene(bbs: Any) -> list[tuple[str, str]]:
        heard = []
        async with bbs.subscribe(cell_id="a") as events:
            await bbs.desire(LRP)  # nobody can take it, which is of no interest for this cell
            await bbs.heartbeat(CELL)
            await bbs.claim("p", 0, "a", "i-0")
            await bbs.remove("p")
            await bbs.remove_actual("p", 0, "i-0")
            async for event in events:
                heard.append((event.type, (event.after or {}).get("state", "")))
                if event.type == "actual_lrp_instance_removed":
                    return heard
        return []

    assert bench.call(scene) == [
        ("desired_lrp_created", ""),
        ("actual_lrp_instance_changed", "UNCLAIMED"),
        ("actual_lrp_instance_changed", "CLAIMED"),
        ("desired_lrp_removed", ""),
        ("actual_lrp_instance_changed", "CLAIMED"),
        ("actual_lrp_instance_removed", ""),
    ]


def test_calls_back_until_it_is_heard_also_after_a_restart(bench: Bench) -> None:
    controller = bench.cloud_controller
    task = Task("t", "app", "", "", f"{controller.url}/completed")

    async def run(bbs: Any) -> None:
        await bbs.heartbeat(CELL)
        await bbs.desire_task(task)
        await bbs.start_task("t", "a")
        await bbs.complete_task(Task("t", "app", "", "", "", cell_id="a", result="{}"))

    controller.refuse = 10**6
    bench.call(run)
    bench.bbs.kill()
    controller.refuse = 2
    bench.start_bbs()
    [told] = eventually(lambda: controller.completed)
    assert (told.task_guid, told.state, told.result) == ("t", "COMPLETED", "{}")
    eventually(lambda: bench.call(lambda bbs: bbs.tasks()) == [])


def test_a_full_disk_refuses_and_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "bbs.sqlite")
    assert store.fresh
    store.save([Change(None, LRP)])
    store._connection.execute("PRAGMA max_page_count = 8")
    big = DesiredLRP("q", "app", 1, "", "x" * 100_000)
    with pytest.raises(StoreError, match="full"):
        store.save([Change(None, DesiredLRP("r", "app", 1, "", "")), Change(None, big)])
    store.close()

    again = Store(tmp_path / "bbs.sqlite")
    assert [thing for thing in again.things() if isinstance(thing, DesiredLRP)] == [LRP]
    again.save([Change(LRP, None)])
    assert not list(again.things())
    again.close()


def test_a_bbs_that_cannot_write_is_to_be_asked_again() -> None:
    """As one that cannot be reached: a cell must not end what runs because the disk is full."""

    async def ask(status: int) -> None:
        refusal = f'{{"error":{{"type":"UnknownError","message":"the disk is full: {status}"}}}}'.encode()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(refusal), refusal))
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            client = BBSClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            try:
                await client.domains()
            finally:
                await client.aclose()

    with pytest.raises(BBSUnavailable, match="the disk is full: 503"):
        asyncio.run(ask(503))
    with pytest.raises(BBSError, match="the disk is full: 409"):
        asyncio.run(ask(409))


def test_who_does_not_listen_is_dropped() -> None:
    async def scene() -> list[bytes]:
        hub = Hub()
        lazy = hub.listen("lrp_instances.r1", "")
        await anext(lazy)
        hub.publish([Change(None, LRP)] * (QUEUE + 1))
        return [data async for data in lazy]

    assert asyncio.run(scene()) == []


def test_a_listener_hears_of_what_leaves_its_cell() -> None:
    tag = ModificationTag()
    here, gone = ActualLRP("p", 0, "i", "a", modification_tag=tag), ActualLRP("p", 0)
    assert Listener("lrp_instances.r1", "a").wants(Change(here, gone))
    assert not Listener("lrp_instances.r1", "b").wants(Change(here, gone))
    assert Listener("lrp_instances.r1", "").wants(Change(None, gone))
    assert not Listener("tasks", "a").wants(Change(None, here))
