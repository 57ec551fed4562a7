"""Emitters that speak for all cells, under a real Locket's lock: one works, the others wait."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cfroute.diego.api import Port

from ..locket import daemons as lockets
from ..routing_api.daemons import Process, settings, write_identities
from .conftest import Bench, eventually
from .daemons import Daemon
from .emitters import PROCESS, desired, emitter, run


@pytest.fixture
def locket(tmp_path: Path) -> Iterator[lockets.Locket]:
    folder = tmp_path / "locket"
    folder.mkdir()
    lockets.write_identities(folder)
    locket = lockets.Locket(folder, lockets.settings(folder)).started()
    yield locket
    locket.end(signal.SIGKILL)


@pytest.fixture
def routing_api(tmp_path: Path) -> Iterator[Process]:
    folder = tmp_path / "routing"
    folder.mkdir()
    write_identities(folder)
    process = Process(folder, settings(folder), "-devMode").started()
    yield process
    process.end()


def brain(bench: Bench, locket: lockets.Locket, api: Process, uuid: str) -> Daemon:
    """A global emitter of TCP routes."""
    files = locket.output.parent
    return emitter(
        bench,
        None,
        uuid,
        cell_id="",
        uuid=uuid,
        locket_enabled=True,
        locket_session_name="tcp-emitter",
        locket_address=f"127.0.0.1:{locket.port}",
        locket_ca_cert_file=str(files / "ca.pem"),
        locket_client_cert_file=str(files / "id.pem"),
        locket_client_key_file=str(files / "id.key"),
        enable_tcp_emitter=True,
        routing_api={"url": "http://127.0.0.1", "port": api.port},
        cfroute={"tcp_only": True},
    )


def said(daemon: Daemon, message: str) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in daemon.log.splitlines() if line.startswith("{"))
    return [line["data"] for line in lines if line["message"] == f"tcp-emitter.{message}"]


def ports(api: Process) -> list[int]:
    with api.client() as client:
        return sorted(route["port"] for route in client.get("/tcp_routes").json())


def desire(bench: Bench, api: Process, *external: int) -> None:
    with api.client() as client:
        group = client.get("/router_groups").json()[0]["guid"]
    entries = [{"router_group_guid": group, "external_port": port, "container_port": 5222} for port in external]
    bench.call(lambda bbs: bbs.desire(desired(ports=(5222,), routes={"tcp-router": entries})))


@pytest.mark.statement("route emitter 2", "Of several emitters without a cell one works: who holds the lock route_emitter")
def test_one_works_and_another_takes_over(bench: Bench, locket: lockets.Locket, routing_api: Process) -> None:
    desire(bench, routing_api, 1024)
    asyncio.run(run(bench, ports=[Port(5222, 61002)]))
    first = brain(bench, locket, routing_api, "first")
    eventually(lambda: said(first, "started"))
    eventually(lambda: ports(routing_api) == [1024])
    second = brain(bench, locket, routing_api, "second")
    refused = eventually(lambda: said(second, "locket-lock.failed-to-acquire-lock"))[0]
    assert refused["lock-owner"] == "first"
    assert refused["lock"] == {"key": "route_emitter", "owner": "second", "type_code": 1}

    first.kill()
    desire(bench, routing_api, 1024, 1025)  # nobody tells of this before the lock has expired
    eventually(lambda: said(second, "started"))
    eventually(lambda: ports(routing_api) == [1024, 1025])

    third = brain(bench, locket, routing_api, "third")
    eventually(lambda: said(third, "locket-lock.failed-to-acquire-lock"))
    assert second.stop() == 0
    assert said(second, "locket-lock.released-lock")
    eventually(lambda: said(third, "watcher.sync.complete"))
    bench.call(lambda bbs: bbs.remove(PROCESS))
    eventually(lambda: ports(routing_api) == [])


@pytest.mark.statement("route emitter 2", "Who loses the lock ends")
def test_who_loses_the_lock_ends(bench: Bench, locket: lockets.Locket, routing_api: Process) -> None:
    only = brain(bench, locket, routing_api, "only")
    eventually(lambda: said(only, "started"))
    locket.end(signal.SIGKILL)
    assert only.wait() == 0
    assert said(only, "locket-lock.lost-lock")
    assert said(only, "finished-with-failure")[0]["error"] == "lost the lock"
