"""Several bindings of an app to one service instance, for credentials that are to be replaced; and upgrades of instances."""

import dataclasses
import json
from typing import Any

import msgspec
import pytest

from .conftest import Brokered
from .test_sharing import binding_body

PATH = "/v3/service_credential_bindings"


@pytest.fixture
def several(brokered: Brokered) -> Brokered:
    """Up to two bindings are allowed."""
    platform = brokered.cc.platform
    config = msgspec.structs.replace(platform.config, max_service_credential_bindings_per_app_service_instance=2)
    brokered.cc.platform = dataclasses.replace(platform, config=config)
    brokered.register()
    return brokered


def test_the_newest_binding_is_what_the_app_sees(several: Brokered) -> None:
    cc = several.cc
    app, instance = cc.started(), several.instance("store", "plain")
    several.done("POST", PATH, binding_body(app, instance))
    assert cc.detail("POST", PATH, binding_body(app, instance)) == "The app is already bound to the service instance"
    assert cc.detail("POST", PATH, binding_body(app, instance, strategy="single")) == (
        "The app is already bound to the service instance"
    )
    assert cc.detail("POST", PATH, binding_body(app, instance, strategy="multiple", name="other")) == (
        "The binding name cannot be changed for the same app and service instance"
    )
    cc.clock.advance(1)
    several.done("POST", PATH, binding_body(app, instance, strategy="multiple"))
    assert cc.detail("POST", PATH, binding_body(app, instance, strategy="multiple")) == (
        "The app has too many bindings to this service instance (limit: 2). Consider deleting existing/orphaned bindings."
    )
    older, newer = (each["guid"] for each in cc.ok("GET", f"{PATH}?order_by=created_at")["resources"])
    services = cc.ok("GET", f"/v3/apps/{app}/env")["system_env_json"]["VCAP_SERVICES"]
    assert [each["binding_guid"] for each in services["db"]] == [newer]
    several.done("DELETE", f"{PATH}/{newer}")
    services = cc.ok("GET", f"/v3/apps/{app}/env")["system_env_json"]["VCAP_SERVICES"]
    assert [each["binding_guid"] for each in services["db"]] == [older]


def test_a_binding_that_is_being_made_is_waited_for(several: Brokered) -> None:
    cc, mood = several.cc, several.broker.mood
    mood.catalog["services"][1]["bindings_retrievable"] = True
    cc.ok("GET", "/v3/service_brokers")
    [broker] = cc.ok("GET", "/v3/service_brokers")["resources"]
    several.done("PATCH", f"/v3/service_brokers/{broker['guid']}", {"url": several.broker.url})
    app, instance = cc.app(), several.instance("store", "plain")
    mood.background = True
    assert several.job("POST", PATH, binding_body(app, instance))["state"] == "POLLING"
    [binding] = cc.ok("GET", PATH)["resources"]
    assert cc.detail("POST", PATH, binding_body(app, instance, strategy="multiple")) == (
        f"There is already a binding in progress for this service instance and app (binding guid: {binding['guid']})"
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"strategy": "many"}, "Strategy must be 'single' or 'multiple'"),
        ({"strategy": 1}, "Strategy must be 'single' or 'multiple'"),
        ({"type": "key", "name": "k", "strategy": "multiple"}, "Unknown field(s): 'strategy'"),
    ],
)
def test_strategies_that_there_are_not(brokered: Brokered, fields: dict[str, Any], text: str) -> None:
    body = binding_body("a", "i") | fields
    assert json.loads(brokered.cc("POST", PATH, body).content)["errors"][0]["detail"].startswith(text)


def test_an_instance_is_upgraded_to_what_its_plan_offers(brokered: Brokered) -> None:
    cc, plans = brokered.cc, brokered.broker.mood.catalog["services"][0]["plans"]
    guid = brokered.register()
    instance = brokered.instance()
    path = f"/v3/service_instances/{instance}"
    refused = cc("PATCH", path, {"maintenance_info": {"version": "2.0.0"}}).json()["errors"][0]
    assert (refused["code"], refused["title"]) == (390006, "CF-MaintenanceInfoNotSupported")
    plans[0]["maintenance_info"] = {"version": "2.0.0", "description": "New colours"}
    brokered.done("PATCH", f"/v3/service_brokers/{guid}", {"url": brokered.broker.url})
    assert cc.ok("GET", path)["upgrade_available"]
    refused = cc("PATCH", path, {"maintenance_info": {"version": "3.0.0"}}).json()["errors"][0]
    assert (refused["code"], refused["title"]) == (390009, "CF-MaintenanceInfoConflict")
    other = {"service_plan": {"data": {"guid": brokered.plan("big")}}}
    refused = cc("PATCH", path, {"maintenance_info": {"version": "2.0.0"}, "relationships": other}).json()["errors"][0]
    assert (refused["code"], refused["title"]) == (390008, "CF-MaintenanceInfoNotUpdatableWhenChangingPlan")
    brokered.done("PATCH", path, {"maintenance_info": {"version": "2.0.0"}})
    shown = cc.ok("GET", path)
    assert (shown["maintenance_info"]["version"], shown["upgrade_available"]) == ("2.0.0", False)
    asked = len(brokered.broker.asked)
    assert cc("PATCH", path, {"maintenance_info": {"version": "2.0.0"}}).status_code == 200
    assert len(brokered.broker.asked) == asked


def test_a_plan_that_its_offering_does_not_let_go_of(brokered: Brokered) -> None:
    brokered.broker.mood.catalog["services"][0]["plan_updateable"] = False
    brokered.register()
    other = {"relationships": {"service_plan": {"data": {"guid": brokered.plan("big")}}}}
    [refused] = brokered.cc("PATCH", f"/v3/service_instances/{brokered.instance()}", other).json()["errors"]
    assert (refused["code"], refused["title"], refused["detail"]) == (
        110004,
        "CF-ServicePlanNotUpdateable",
        "The service does not support changing plans.",
    )
