"""No request may be lost while instances, routers and NATS come and go."""

import json
import os
import signal

import pytest

pytestmark = pytest.mark.e2e


def endpoints(foundation, pattern):
    """How many endpoints each Gorouter has for the routes that match."""
    rows = json.loads(foundation.ok("table", pattern, "--json"))
    return {router: sum(row["router"] == router for row in rows) for router in ("gorouter/0", "gorouter/1")}


def test_scaling_up_and_down(foundation, load, until):
    with load("echo") as traffic:
        foundation.ok("scale", "echo", "-i", "3")
        until(lambda: set(endpoints(foundation, "echo*").values()) == {3}, "three endpoints")
        traffic.more()
        foundation.ok("scale", "echo", "-i", "1")
        until(lambda: set(endpoints(foundation, "echo*").values()) == {1}, "one endpoint")
        traffic.more()
    assert set(traffic.results) == {200}, traffic.results


def test_draining_one_of_two_gorouters(foundation, load, until):
    before = foundation.components()["gorouter/0"]["pid"]
    with load("echo") as traffic:
        foundation.ok("kill", "gorouter/0", "--signal", "USR1")
        until(lambda: foundation.components()["gorouter/0"]["pid"] not in (None, before), "a new gorouter/0")
        traffic.more()
    assert set(traffic.results) == {200}, traffic.results


def test_nats_is_killed_and_comes_back(foundation, load, until):
    with load("echo") as traffic:
        foundation.ok("kill", "nats")
        traffic.more()
        until(lambda: foundation.components()["nats"]["state"] == "running", "nats")
        traffic.more()
    assert set(traffic.results) == {200}, traffic.results


def test_the_instances_of_a_killed_cell_die_with_it_and_come_back(foundation, until):
    def instance():
        status, body = foundation.get("echo")
        return json.loads(body)["instance"]["guid"] if status == 200 else None

    before, cell = instance(), foundation.components()["cell/0"]["pid"]
    os.kill(cell, signal.SIGKILL)
    until(lambda: instance() not in (None, before), "another instance")
    assert foundation.components()["cell/0"]["restarts"] == 1
