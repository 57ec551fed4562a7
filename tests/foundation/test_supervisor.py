"""The supervisor with real processes."""

import os
import signal
from collections.abc import Callable

import pytest
from cfroute.errors import CfrouteError, NotFound, NotRunning
from cfroute.foundation.client import FoundationClient
from cfroute.home import Home

from .toys import Supervised, eventually, free_port, is_gone

Supervise = Callable[..., Supervised]


def toys(*names: str) -> list[str]:
    return [f"{name}={free_port()}" for name in names]


@pytest.mark.parametrize("forks", [True, False])
def test_ready_when_all_are_healthy_and_down_leaves_nothing(supervise: Supervise, forks: bool) -> None:
    running = supervise(*toys("a", "b/0"), forks=forks).wait_ready()
    everything = running.all_processes()
    assert {component["state"] for component in running.client.status()} == {"running"}
    assert len(everything) == 4
    running.client.down()
    assert running.process.wait(5) == 0
    assert all(is_gone(pid) for pid in everything)
    assert not (running.home.run / "children.json").exists()
    assert "toy: stopped" in running.home.log("b/0").read_text()


def test_a_killed_component_comes_back(supervise: Supervise) -> None:
    running = supervise(*toys("a", "b")).wait_ready()
    before = running.pids()
    killed = running.client.kill("a")
    assert killed["pid"] == before["a"]
    again = eventually(lambda: (now := running.component("a"))["state"] == "running" and now["restarts"] == 1 and now)
    assert again["pid"] not in {0, before["a"]}
    assert again["last_error"] == "killed by SIGKILL"
    assert running.pids()["b"] == before["b"]


def test_restart_returns_when_the_next_process_is_healthy(supervise: Supervise) -> None:
    running = supervise(*toys("a")).wait_ready()
    before = running.pids()["a"]
    after = running.client.restart("a")
    assert after["state"] == "running"
    assert after["pid"] != before
    assert "toy: stopped" in running.home.log("a").read_text()


def test_a_component_that_ignores_sigterm_is_killed(supervise: Supervise) -> None:
    running = supervise(f"a={free_port()}:stubborn").wait_ready()
    pid = running.pids()["a"]
    running.client.down()
    assert is_gone(pid)
