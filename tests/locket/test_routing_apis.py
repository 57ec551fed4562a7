"""Two real Routing APIs with one lock: the second one listens nowhere before the first has ended."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..routing_api import daemons as routing_api
from ..routing_api.daemons import Process
from ..waiting import eventually
from .daemons import Locket

TTL = 15.0
Start = Callable[[str], Process]


@pytest.fixture
def locket(launch: Callable[..., Locket]) -> Locket:
    return launch().started()


@pytest.fixture
def start(locket: Locket, tmp_path: Path) -> Iterator[Start]:
    """Starts the Routing API of this name; all have the same database."""
    processes: list[Process] = []

    def begin(name: str) -> Process:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        config = routing_api.settings(
            tmp_path,
            uuid=name,
            retry_interval="1s",
            locket={
                "locket_address": f"127.0.0.1:{locket.port}",
                "locket_ca_cert_file": str(tmp_path / "ca.pem"),
                "locket_client_cert_file": str(tmp_path / "id.pem"),
                "locket_client_key_file": str(tmp_path / "id.key"),
            },
        )
        processes.append(Process(folder, config, "-devMode"))
        return processes[-1]

    yield begin
    for each in processes:
        each.process.kill()
        each.process.wait()


def listens(process: Process) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", process.port)) == 0


def groups(process: Process) -> list[str]:
    with process.client() as client:
        return [each["guid"] for each in client.get("/router_groups").json()]


def waiting(process: Process) -> dict[str, Any]:
    """What it says of who has the lock."""
    said = eventually(lambda: process.said("locket-lock.failed-to-acquire-lock"), "a failure to get the lock")
    return said[0]


@pytest.mark.statement(
    "Locket 3",
    "a passive Routing API does not listen at all; SIGTERM of the active one hands over at once, while it still serves",
)
def test_a_lock_that_is_given_back(start: Start) -> None:
    active = start("one").started()
    made = groups(active)
    passive = start("two")
    assert waiting(passive)["lock-owner"] == "one"
    assert not listens(passive)
    assert not passive.said("migration.starting-migration")
    began = time.monotonic()
    active.process.send_signal(signal.SIGTERM)
    passive.started()
    # It asks every second, which is retry_interval; otherwise it would have to wait until the lock expires.
    assert time.monotonic() - began < TTL / 2
    assert groups(passive) == groups(active) == made
    assert [bool(active.said(f"locket-lock.{each}")) for each in ("signalled", "released-lock", "completed")] == [True] * 3


@pytest.mark.statement("Locket 3", "kill -9 of the active Routing API hands over within the lock's TTL and a second")
def test_a_lock_that_expires(start: Start) -> None:
    active = start("one").started()
    passive = start("two")
    waiting(passive)
    began = time.monotonic()
    active.end(signal.SIGKILL)
    eventually(lambda: passive.said("started"), "the other one", within=2 * TTL)
    assert time.monotonic() - began > 13
    assert groups(passive)


@pytest.mark.statement(
    "Locket 3", "a Routing API that loses its lock says so, and goes on for a while, for another one to take over"
)
def test_a_lock_that_is_lost(start: Start, locket: Locket) -> None:
    active = start("one").started()
    locket.end(signal.SIGKILL)
    eventually(lambda: active.said("locket-lock.lost-lock"), "the loss")
    assert listens(active)


def test_a_locket_that_is_away_for_a_moment_costs_nothing(start: Start, locket: Locket, launch: Callable[..., Locket]) -> None:
    active = start("one").started()
    locket.end(signal.SIGKILL)
    back = launch(listen_address=locket.config["listen_address"]).started()
    passive = start("two")
    assert waiting(passive)["lock-owner"] == "one"
    assert not active.said("locket-lock.lost-lock")
    assert back.end() == 0
