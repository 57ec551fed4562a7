"""Foundations with a part that somebody else runs."""

import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from .conftest import CFROUTE
from .test_tcp_routes import backends, echoes, push_echo

pytestmark = pytest.mark.e2e


@pytest.fixture
def routing_api() -> Iterator:
    """Starts Routing APIs by hand; they are ended with the test."""
    started = []

    def start(file, address):
        started.append(
            subprocess.Popen([CFROUTE, "routing-api", "-config", str(file), "-ip", address], stdout=subprocess.DEVNULL)
        )

    yield start
    for process in started:
        process.terminate()
        assert process.wait(30) == 0


def states(foundation):
    return {name: row["state"] for name, row in foundation.components().items()}


def test_a_routing_api_that_is_started_by_hand_with_the_file_that_was_written(new_foundation, routing_api, until):
    foundation = new_foundation()
    foundation.up("--no-wait", "--without", "routing-api", "--tcp-ports", "0")
    until(lambda: {states(foundation)[name] for name in ("uaa", "locket")} == {"running"}, "UAA and Locket")
    place = foundation.components()["routing_api/0"]
    assert place["state"] == "external"
    assert "external" in foundation.run("kill", "routing-api").stderr
    routing_api(foundation.home / "config" / "routing_api-0.yml", place["address"].partition(":")[0])
    until(lambda: set(states(foundation).values()) == {"running", "external"}, "the rest")
    port = push_echo(foundation)
    until(lambda: echoes(port), "an echo")


def test_a_routing_api_elsewhere(new_foundation, routing_api, until):
    """The foundation is started anew without its own; the routes are in the other one's database soon."""
    foundation = new_foundation()
    foundation.up("--tcp-ports", "0")
    port = push_echo(foundation)
    until(lambda: echoes(port), "an echo")
    foundation.down()
    moved = yaml.safe_load((foundation.home / "config" / "routing_api-0.yml").read_text())
    free = [port + 50 + number for number in range(3)]
    moved["api"]["listen_port"], moved["api"]["mtls_listen_port"], moved["admin_port"] = free
    moved["sqldb"]["schema"] = str(foundation.home / "elsewhere.sqlite")
    del moved["debug_address"]
    moved["cfroute"] = {"address": "127.0.0.1", "leave_at_once": True}
    (foundation.home / "elsewhere.yml").write_text(yaml.safe_dump(moved))
    last = foundation.info["tcp_ports"].partition("-")[2]
    ports = f"{port}-{port + 49}"
    assert int(last) >= free[-1]
    elsewhere = f"http://127.0.0.1:{free[0]}"
    foundation.up("--no-wait", "--without", "routing-api", "--routing-api", elsewhere, "--tcp-ports", ports)
    until(lambda: {states(foundation)[name] for name in ("uaa", "locket")} == {"running"}, "UAA and Locket")
    routing_api(foundation.home / "elsewhere.yml", "127.0.0.1")
    until(lambda: set(states(foundation).values()) == {"running", "external"}, "the rest")
    until(lambda: backends(foundation, port) == [1], "the route")
    until(lambda: echoes(port), "an echo")
    groups = json.loads(foundation.ok("router-groups", "--json"))
    assert [group["name"] for group in groups] == ["default-tcp"]


def test_a_route_registrar_that_is_started_by_hand_takes_its_routes_along(new_foundation, until):
    foundation = new_foundation()
    foundation.up("--without", "route-registrar")
    assert states(foundation)["route_registrar"] == "external"
    assert foundation.get("api", "/healthz")[0] == 404
    file = str(foundation.home / "config" / "registrar_settings.json")
    with subprocess.Popen([CFROUTE, "route-registrar", "-configPath", file], stdout=subprocess.DEVNULL) as registrar:
        until(lambda: foundation.get("api", "/healthz")[0] == 200, "the route")
        registrar.terminate()
        assert registrar.wait(20) == 0
    until(lambda: foundation.get("api", "/healthz")[0] == 404, "its end")
