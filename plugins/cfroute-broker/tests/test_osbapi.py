"""The broker's side of the API, request by request."""

import base64
import json
from typing import Any

import pytest

from cfroute_broker.osbapi import ASYNC_REQUIRED, BUSY, Answer, Body, Broker, Refused, Request

HEADERS = {"authorization": "Basic " + base64.b64encode(b"me:secret").decode(), "x-broker-api-version": "2.13"}
PLACE = {"organization_guid": "o", "space_guid": "s"}
SYNC, SLOW = {"service_id": "svc", "plan_id": "sync"}, {"service_id": "svc", "plan_id": "slow"}
ROUTE = {"bind_resource": {"route": "app.cf.localhost/path"}}


class Example:
    """A service that remembers what it was told."""

    slow_plans = frozenset({"slow"})

    def __init__(self) -> None:
        self.catalog: Body = {"services": [{"id": "svc", "plans": [{"id": "sync"}, {"id": "slow"}]}]}
        self.unbound: list[str] = []

    def check(self, parameters: Body) -> None:
        if "bad" in parameters:
            raise Refused(400, "bad is bad")

    def bind(self, binding_id: str, asked: Body, instance: Body) -> Body:
        return {"route_service_url": f"https://x/{binding_id}"}

    def unbind(self, binding_id: str, asked: Body) -> None:
        self.unbound.append(binding_id)


class Desk:
    """A broker, asked in short."""

    def __init__(self) -> None:
        self.now = 0.0
        self.service = Example()
        self.saved: Body = {}
        self.broker = self.new()

    def new(self) -> Broker:
        return Broker(self.service, ("me", "secret"), lambda: self.now, 5.0, lambda state: self.saved.update(state))

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] = HEADERS, **query: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.broker.answer(Request(method, f"/v2/{path}", headers, query, raw))

    def provision(self, plan: Body = SYNC, more: Body | None = None, **query: str) -> Answer:
        return self.ask("PUT", "service_instances/i", plan | PLACE | (more or {}), **query)

    def bind(self, more: Body | None = None) -> Answer:
        return self.ask("PUT", "service_instances/i/service_bindings/b", SYNC | ROUTE | (more or {}))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"authorization": ""}, 401),
        ({"authorization": "Basic " + base64.b64encode(b"me:wrong").decode()}, 401),
        ({"authorization": "Basic ü"}, 401),
        ({"authorization": HEADERS["authorization"].replace("Basic", "Bearer")}, 401),
        ({"x-broker-api-version": ""}, 400),
        ({"x-broker-api-version": "two"}, 400),
        ({"x-broker-api-version": "2.13.1"}, 400),
        ({"x-broker-api-version": "2.12"}, 412),
        ({"x-broker-api-version": "1.99"}, 412),
        ({"x-broker-api-version": "3.0"}, 412),
        ({"x-broker-api-version": "2.13"}, 200),
        ({"x-broker-api-version": "2.15"}, 200),
    ],
)
def test_who_is_let_in(desk: Desk, changes: dict[str, str], status: int) -> None:
    answer = desk.ask("GET", "catalog", headers=HEADERS | changes)
    assert answer.status == status
    assert (status == 200) == (answer.body == desk.service.catalog)
    assert status == 200 or answer.body["description"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "nothing", 404), ("POST", "service_instances/i", 405), ("GET", "service_instances/i/service_bindings/b", 405)],
)
def test_what_there_is_not(desk: Desk, method: str, path: str, status: int) -> None:
    assert desk.ask(method, path).status == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"[]",
        {**SYNC},
        {**SYNC, **PLACE, "space_guid": 1},
        {**SYNC, **PLACE, "plan_id": "other"},
        {**SYNC, **PLACE, "parameters": []},
        {**SYNC, **PLACE, "parameters": {"bad": 1}},
    ],
)
def test_what_cannot_be_provisioned(desk: Desk, body: Any) -> None:
    answer = desk.ask("PUT", "service_instances/i", body)
    assert (answer.status, list(answer.body)) == (400, ["description"])


def test_an_instance_from_its_beginning_to_its_end(desk: Desk) -> None:
    assert desk.provision() == Answer(201, {})
    assert desk.provision() == Answer(200, {})
    assert desk.provision(more={"parameters": {"x": 1}}) == Answer(409, {})
    assert desk.ask("GET", "service_instances/i/last_operation") == Answer(200, {"state": "succeeded"})
    assert desk.ask("PATCH", "service_instances/i", SYNC | {"parameters": {"x": 1}}) == Answer(200, {})
    assert desk.provision(more={"parameters": {"x": 1}}) == Answer(200, {})
    assert desk.ask("DELETE", "service_instances/i").status == 400
    assert desk.ask("DELETE", "service_instances/i", **SYNC) == Answer(200, {})
    assert desk.ask("DELETE", "service_instances/i", **SYNC) == Answer(410, {})
    assert desk.ask("PATCH", "service_instances/i", SYNC).status == 404


def test_a_binding_from_its_beginning_to_its_end(desk: Desk) -> None:
    assert desk.bind().status == 404
    desk.provision()
    assert desk.bind() == Answer(201, {"route_service_url": "https://x/b"})
    assert desk.bind() == Answer(200, {"route_service_url": "https://x/b"})
    assert desk.bind({"bind_resource": {"route": "other.cf.localhost"}}) == Answer(409, {})
    path = "service_instances/i/service_bindings/b"
    assert desk.ask("DELETE", path, **SYNC) == Answer(200, {})
    assert desk.ask("DELETE", path, **SYNC) == Answer(410, {})
    assert desk.service.unbound == ["b"]
    assert desk.bind({"bind_resource": {}}).status == 400
    assert desk.bind({"bind_resource": None, "app_guid": "a"}).status == 400


def test_a_slow_plan_takes_its_time(desk: Desk) -> None:
    assert desk.provision(SLOW) == Answer(422, ASYNC_REQUIRED)
    begun = Answer(202, {"operation": "provision"})
    assert desk.provision(SLOW, accepts_incomplete="true") == begun
    assert desk.provision(SLOW, accepts_incomplete="true") == begun
    assert desk.ask("GET", "service_instances/i/last_operation") == Answer(200, {"state": "in progress"})
    assert desk.bind(SLOW) == Answer(422, BUSY)
    desk.now += 5.0
    assert desk.ask("GET", "service_instances/i/last_operation") == Answer(200, {"state": "succeeded"})
    assert desk.bind(SLOW).status == 201
    assert desk.ask("DELETE", "service_instances/i", accepts_incomplete="true", **SLOW).status == 202
    assert desk.ask("DELETE", "service_instances/i", accepts_incomplete="true", **SLOW).status == 202
    desk.now += 5.0
    assert desk.ask("GET", "service_instances/i/last_operation") == Answer(410, {})


def test_a_broker_that_was_started_anew_knows_what_there_is(desk: Desk) -> None:
    desk.provision()
    desk.bind()
    saved = json.loads(json.dumps(desk.saved))
    desk.broker = desk.new()
    desk.broker.restore(saved)
    assert desk.provision() == Answer(200, {})
    assert desk.bind() == Answer(200, {"route_service_url": "https://x/b"})
    assert desk.broker.bindings() == {"b": (SYNC | ROUTE, SYNC | PLACE)}
