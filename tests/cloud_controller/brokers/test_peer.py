"""A broker that others have written: openbrokerapi holds us to the Open Service Broker API as it understands it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from openbrokerapi import errors
from openbrokerapi.api import BrokerCredentials, get_blueprint
from openbrokerapi.catalog import ServicePlan
from openbrokerapi.service_broker import (
    Binding,
    BindState,
    DeprovisionServiceSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServiceBroker,
    UnbindSpec,
    UpdateServiceSpec,
)
from werkzeug.serving import make_server

from tests.cloud_controller.conftest import CloudController

from .conftest import Brokered

SERVICE = Service(
    id="peer-id",
    name="peer",
    description="Made with openbrokerapi",
    bindable=True,
    plan_updateable=True,
    requires=["route_forwarding"],
    plans=[
        ServicePlan(id="now-id", name="now", description="at once", free=True),
        ServicePlan(id="later-id", name="later", description="in the background", free=True),
    ],
)


@dataclass
class Peer(ServiceBroker):  # type: ignore[misc]
    """What there is, by guid: instances with their plan and parameters, bindings with the route that they were made for."""

    instances: dict[str, tuple[str, Any]] = field(default_factory=dict)
    bindings: dict[str, str] = field(default_factory=dict)
    url: str = ""
    patience: int = 1  # how often an operation is in progress before it has succeeded
    users: set[str] = field(default_factory=set)

    def catalog(self) -> Service:
        return SERVICE

    def provision(self, instance_id: str, details: Any, async_allowed: bool, **_rest: Any) -> ProvisionedServiceSpec:
        if details.plan_id == "later-id" and not async_allowed:
            raise errors.ErrAsyncRequired
        if (details.parameters or {}).get("limit") == "nonsense":
            raise errors.ErrInvalidParameters("limit has to be a number")
        self.users.add(str(details.originating_identity["value"]["user_id"]))
        self.instances[instance_id] = details.plan_id, details.parameters
        later = details.plan_id == "later-id"
        return ProvisionedServiceSpec(ProvisionState.IS_ASYNC if later else ProvisionState.SUCCESSFUL_CREATED, operation="made")

    def update(self, instance_id: str, details: Any, async_allowed: bool, **_rest: Any) -> UpdateServiceSpec:
        self.instances[instance_id] = details.plan_id, details.parameters
        return UpdateServiceSpec(is_async=False)

    def last_operation(self, instance_id: str, operation_data: str | None, **_rest: Any) -> LastOperation:
        assert operation_data in ("made", "gone")
        if operation_data == "gone" and instance_id not in self.instances:
            raise errors.ErrInstanceDoesNotExist
        self.patience -= 1
        return LastOperation(OperationState.IN_PROGRESS if self.patience >= 0 else OperationState.SUCCEEDED, "half done")

    def bind(self, instance_id: str, binding_id: str, details: Any, async_allowed: bool, **_rest: Any) -> Binding:
        if self.instances[instance_id][1] == {"app": True}:
            raise errors.ErrAppGuidNotProvided
        self.bindings[binding_id] = details.bind_resource.route
        return Binding(BindState.SUCCESSFUL_BOUND, route_service_url=f"https://peer.example.com/{instance_id}")

    def unbind(self, instance_id: str, binding_id: str, details: Any, async_allowed: bool, **_rest: Any) -> UnbindSpec:
        if self.bindings.pop(binding_id, None) is None:
            raise errors.ErrBindingDoesNotExist
        return UnbindSpec(is_async=False)

    def deprovision(self, instance_id: str, details: Any, async_allowed: bool, **_rest: Any) -> DeprovisionServiceSpec:
        if instance_id not in self.instances:
            raise errors.ErrInstanceDoesNotExist
        plan, _ = self.instances.pop(instance_id)
        return DeprovisionServiceSpec(is_async=plan == "later-id", operation="gone")

    @property
    def story(self) -> object:
        return self.instances, self.bindings


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    app = Flask("peer")
    app.register_blueprint(get_blueprint(made, BrokerCredentials("me", "secret"), app.logger))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def peered(cc: CloudController, peer: Peer) -> Brokered:
    made = Brokered(cc, peer)  # type: ignore[arg-type]
    made.register()
    return made


def test_its_catalog_is_taken_in(peered: Brokered) -> None:
    (offering,) = peered.cc.ok("GET", "/v3/service_offerings")["resources"]
    assert (offering["name"], offering["requires"]) == ("peer", ["route_forwarding"])
    assert [plan["name"] for plan in peered.cc.ok("GET", "/v3/service_plans")["resources"]] == ["now", "later"]


def test_from_an_instance_to_a_route_service_and_back(peered: Brokered, peer: Peer) -> None:
    cc = peered.cc
    instance = peered.instance(plan="now", parameters={"limit": 5})
    assert peer.instances == {instance: ("now-id", {"limit": 5})}
    assert peer.users == {"guid-of-admin"}
    route = cc.route("limited")
    peered.done("POST", "/v3/service_route_bindings", cc.bind_body(route, instance))
    (binding,) = peered.bindings()
    assert peer.bindings == {binding["guid"]: "limited.cf.localhost"}
    assert binding["route_service_url"] == f"https://peer.example.com/{instance}"
    change = {"relationships": {"service_plan": {"data": {"guid": peered.plan("later")}}}, "parameters": {"limit": 6}}
    peered.done("PATCH", f"/v3/service_instances/{instance}", change)
    assert peer.instances == {instance: ("later-id", {"limit": 6})}
    peered.done("DELETE", f"/v3/service_route_bindings/{binding['guid']}")
    assert peer.bindings == {}
    assert peered.job("DELETE", f"/v3/service_instances/{instance}")["state"] == "POLLING"
    peered.later(60, lambda: cc.ok("GET", "/v3/service_instances")["resources"] == [])
    assert peer.instances == {}


def test_what_takes_its_time(peered: Brokered, peer: Peer) -> None:
    assert peered.job("POST", "/v3/service_instances", peered.instance_body(plan="later"))["state"] == "POLLING"
    peered.later(60, lambda: peered.operation() == ("create", "in progress", "half done"))
    peered.later(60, lambda: peered.operation()[1] == "succeeded")
    assert list(peer.instances) == [peered.guid()]


def test_its_refusals_are_told_in_its_words(peered: Brokered, peer: Peer) -> None:
    told = peered.failed("POST", "/v3/service_instances", peered.instance_body(plan="now", parameters={"limit": "nonsense"}))
    assert "limit has to be a number" in told
    assert peer.instances == {}
    instance = peered.instance("fussy", plan="now", parameters={"app": True})
    told = peered.failed("POST", "/v3/service_route_bindings", peered.cc.bind_body(peered.cc.route(), instance))
    assert "app" in told.lower()
    assert peer.bindings == {}


def test_what_it_has_lost_can_be_deleted(peered: Brokered, peer: Peer) -> None:
    instance = peered.instance(plan="now")
    route = peered.cc.route()
    peered.done("POST", "/v3/service_route_bindings", peered.cc.bind_body(route, instance))
    peer.instances.clear()
    peer.bindings.clear()
    peered.done("DELETE", f"/v3/service_instances/{instance}")
    assert peered.cc.ok("GET", "/v3/service_instances")["resources"] == peered.bindings() == []
