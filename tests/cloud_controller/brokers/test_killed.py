"""The real daemon is killed while a broker works for it: what was begun ends, and the broker keeps nothing that nobody knows."""

import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.cloud_controller.test_daemons import Daemons, eventually, made

from .osb import Broker, Mood

POLL = 0.1  # seconds
TIMEOUT = 4.0  # seconds that a broker has; longer than a request waits for one


class World:
    """UAA and Cloud Controller as processes, a broker here, and an admin."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.broker = broker
        self.daemons = Daemons(folder)
        file = folder / "cloud_controller.yml"
        settings = {"broker_client_default_async_poll_interval_seconds": POLL, "broker_client_timeout_seconds": TIMEOUT}
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | settings))
        self.daemons.start("uaa")
        self.daemons.start("cloud_controller")
        eventually(self.daemons.ready)
        self.api = httpx.Client(base_url=self.daemons.api, headers=eventually(self.daemons.token), trust_env=False, timeout=30)

    def close(self) -> None:
        self.api.close()
        for name in list(self.daemons.running):
            self.daemons.end(name, signal.SIGKILL)

    def get(self, path: str) -> list[dict[str, Any]]:
        return list(made(self.api.get(f"/v3/{path}"))["resources"])

    def register(self) -> None:
        credentials = {"type": "basic", "credentials": {"username": "me", "password": "secret"}}
        body = {"name": "flow", "url": self.broker.url, "authentication": credentials}
        assert self.api.post("/v3/service_brokers", json=body).status_code == 202
        eventually(lambda: self.get("service_plans"))
        for plan in self.get("service_plans"):
            made(self.api.post(f"/v3/service_plans/{plan['guid']}/visibility", json={"type": "public"}))

    def killed_during(self, seconds: float, method: str, path: str, body: Any = None) -> None:
        """Send the request, kill the Cloud Controller after so many seconds, whatever it is doing then, and start it again."""
        asking = threading.Thread(target=self.ask, args=(method, path, body))
        asking.start()
        asking.join(seconds)
        self.daemons.end("cloud_controller", signal.SIGKILL)
        asking.join()
        self.daemons.start("cloud_controller")
        eventually(self.daemons.ready)

    def ask(self, method: str, path: str, body: Any) -> None:
        """Send the request, whatever becomes of it."""
        try:
            httpx.request(method, self.daemons.api + path, json=body, headers=self.api.headers, trust_env=False, timeout=20)
        except httpx.TransportError:
            return  # it was killed before it could answer

    def settled(self) -> bool:
        """Nothing is under way any more, and the broker has exactly what the Cloud Controller shows."""
        instances, bindings = self.get("service_instances"), self.get("service_route_bindings")
        if any(each["last_operation"]["state"] in ("initial", "in progress") for each in (*instances, *bindings)):
            return False
        there = {f"/v2/service_instances/{each['guid']}" for each in instances if has(each)}
        for each in filter(has, bindings):
            instance = each["relationships"]["service_instance"]["data"]["guid"]
            there.add(f"/v2/service_instances/{instance}/service_bindings/{each['guid']}")
        return there == set(self.broker.things)


def has(thing: dict[str, Any]) -> bool:
    """Whether the broker should have it: not what could not be made."""
    last = thing["last_operation"]
    return (last["type"], last["state"]) != ("create", "failed")


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    server = Broker()
    yield server
    server.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[World]:
    found = World(tmp_path_factory.mktemp("killed"), broker)
    try:
        found.register()
        yield found
    finally:
        found.close()


@pytest.fixture(autouse=True)
def good_mood(broker: Broker) -> None:
    """Tests share the processes, and leave nothing in them."""
    broker.mood = Mood(state={"state": "succeeded"})
    broker.asked.clear()


def one(kind: str, guid: str) -> dict[str, Any]:
    return {kind: {"data": {"guid": guid}}}


def new_instance(world: World, name: str) -> dict[str, Any]:
    space, plan = (world.get(path)[0]["guid"] for path in ("spaces", "service_plans?names=small"))
    return {"type": "managed", "name": name, "relationships": one("space", space) | one("service_plan", plan)}


def new_route(world: World, host: str) -> str:
    relationships = one("space", world.get("spaces")[0]["guid"]) | one("domain", world.get("domains")[0]["guid"])
    return str(made(world.api.post("/v3/routes", json={"host": host, "relationships": relationships}))["guid"])


def remove_all(world: World) -> None:
    for each in world.get("service_instances"):
        assert world.api.delete(f"/v3/service_instances/{each['guid']}").status_code == 202
    eventually(lambda: world.get("service_instances") == [])
    eventually(lambda: world.broker.things == {})


@pytest.mark.parametrize("background", [True, False], ids=["async", "sync"])
def test_what_was_begun_ends_and_nothing_is_left_behind(world: World, broker: Broker, background: bool) -> None:
    chance = random.Random(int(background))
    broker.mood.background = background
    world.killed_during(chance.uniform(0, 0.1), "POST", "/v3/service_instances", new_instance(world, "killed"))
    eventually(world.settled)
    name = f"safe-{background}"
    assert world.api.post("/v3/service_instances", json=new_instance(world, name)).status_code == 202
    eventually(world.settled)
    safe = world.get(f"service_instances?names={name}")[0]["guid"]
    bound = {"relationships": one("route", new_route(world, name)) | one("service_instance", safe)}
    if background:
        world.killed_during(chance.uniform(0, 0.1), "POST", "/v3/service_route_bindings", bound)
    else:
        assert world.api.post("/v3/service_route_bindings", json=bound).status_code == 202
    eventually(world.settled)
    world.killed_during(chance.uniform(0, 0.1), "DELETE", f"/v3/service_instances/{safe}")
    eventually(world.settled)
    remove_all(world)


def test_what_a_broker_made_and_denied_is_removed_though_we_were_killed_meanwhile(world: World, broker: Broker) -> None:
    broker.mood.answers, broker.mood.hung = {"PUT": (500, b"{}")}, "DELETE"
    assert world.api.post("/v3/service_instances", json=new_instance(world, "denied")).status_code == 202
    asked = eventually(lambda: next((each for each in broker.asked if each.method == "DELETE"), None))
    broker.things[asked.path] = {}
    world.daemons.end("cloud_controller", signal.SIGKILL)
    broker.mood = Mood()
    world.daemons.start("cloud_controller")
    eventually(world.daemons.ready)
    eventually(lambda: broker.things == {})
    assert world.get("service_instances?names=denied")[0]["last_operation"]["state"] == "failed"
    remove_all(world)


def test_a_hung_broker_holds_nobody_else_up(world: World, broker: Broker) -> None:
    broker.mood.silent = True
    bodies = [new_instance(world, f"hung-{number}") for number in range(5)]
    asking = [threading.Thread(target=world.ask, args=("POST", "/v3/service_instances", body)) for body in bodies]
    for each in asking:
        each.start()
    eventually(lambda: len(broker.story) >= 5)
    for number in range(5):
        made(world.api.post("/v3/organizations", json={"name": f"meanwhile-{number}"}))
        assert world.get("routes?hosts=nobody") == []
    assert any(each.is_alive() for each in asking), "the others were asked only when the broker's were over"
    for each in asking:
        each.join()
    broker.mood.silent = False
    eventually(world.settled)
    remove_all(world)


LIES: dict[str, tuple[int, bytes]] = {
    "no-json": (201, b"<html>It works!</html>"),
    "no-object": (201, b"[1, 2]"),
    "bytes": (201, bytes(range(256))),
    "huge": (500, b"x" * 8_000_000),
    "deep": (201, b"[" * 100_000),
    "teapot": (418, b'{"description": 7}'),
}


@pytest.mark.parametrize(("status", "said"), LIES.values(), ids=LIES)
def test_a_lying_broker_fails_what_was_asked_of_it_alone(world: World, broker: Broker, status: int, said: bytes) -> None:
    broker.mood.answers = {"PUT": (status, said)}
    assert world.api.post("/v3/service_instances", json=new_instance(world, "lied-to")).status_code == 202
    eventually(lambda: world.get("service_instances?names=lied-to")[0]["last_operation"]["state"] == "failed")
    broker.mood.answers = {}
    eventually(world.settled)
    remove_all(world)
    assert '"request-failed"' not in world.daemons.log("cloud_controller")
