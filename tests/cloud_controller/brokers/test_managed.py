"""Brokers, what they offer, instances and bindings: the API with a real broker behind it."""

from typing import Any

import pytest

from .conftest import Brokered


def test_a_broker_with_its_catalog(brokered: Brokered) -> None:
    cc = brokered.cc
    guid = brokered.register(public=False)
    broker = cc.ok("GET", f"/v3/service_brokers/{guid}")
    assert (broker["name"], broker["url"]) == ("flow", brokered.broker.url)
    assert "secret" not in str(broker)
    offerings = cc.ok("GET", "/v3/service_offerings?fields[service_broker]=name,guid")
    assert [each["name"] for each in offerings["resources"]] == ["limiter", "db"]
    assert offerings["included"]["service_brokers"] == [{"guid": guid, "name": "flow"}]
    assert offerings["resources"][0]["requires"] == ["route_forwarding"]
    query = "available=true&include=service_offering&fields[service_offering.service_broker]=name,guid&per_page=5000"
    plans = cc.ok("GET", f"/v3/service_plans?{query}")
    assert [(each["name"], each["free"], each["visibility_type"]) for each in plans["resources"]] == [
        ("small", True, "admin"),
        ("big", False, "admin"),
        ("plain", True, "admin"),
    ]
    assert [each["name"] for each in plans["included"]["service_offerings"]] == ["limiter", "db"]
    assert plans["included"]["service_brokers"] == [{"guid": guid, "name": "flow"}]
    asked = brokered.broker.asked[0]
    assert asked.headers["x-broker-api-version"] == "2.15"


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        (
            [{"amount": {"usd": 649, "eur": 0.06}, "unit": "MONTHLY"}],
            [
                {"currency": "USD", "amount": 649.0, "unit": "MONTHLY"},
                {"currency": "EUR", "amount": 0.06, "unit": "MONTHLY"},
            ],
        ),
        ([{"amount": {"usd": 1}, "unit": "DAILY"}, {"amount": {"usd": "1"}, "unit": "DAILY"}], []),
        ([{"amount": {}, "unit": "DAILY"}], []),
        ([{"amount": {"": 1}, "unit": "DAILY"}], []),
        ([{"amount": {"usd": 1}}], []),
        ("a lot", []),
        (None, []),
    ],
)
def test_costs_are_numbers_or_not_told(brokered: Brokered, costs: Any, told: list[dict[str, Any]]) -> None:
    """Clients decode an amount as a number: one that is none would cost them the whole list."""
    brokered.broker.mood.catalog["services"][1]["plans"][0]["metadata"] = {"costs": costs}
    brokered.register()
    assert brokered.cc.ok("GET", "/v3/service_plans?names=plain")["resources"][0]["costs"] == told


def test_the_public_part_of_the_marketplace_needs_no_token(brokered: Brokered) -> None:
    """`cf marketplace` shows it to whoever has not logged in."""
    cc = brokered.cc
    brokered.register(public=False)
    cc.ok("POST", f"/v3/service_plans/{brokered.plan('plain')}/visibility", {"type": "public"})
    query = "available=true&include=service_offering&fields[service_offering.service_broker]=name,guid&per_page=5000"
    page = cc("GET", f"/v3/service_plans?{query}", headers={"Authorization": ""}).json()
    assert [each["name"] for each in page["resources"]] == ["plain"]
    assert [each["name"] for each in page["included"]["service_offerings"]] == ["db"]
    offerings = cc("GET", "/v3/service_offerings", headers={"Authorization": ""}).json()["resources"]
    assert [each["name"] for each in offerings] == ["db"]
    for path, status in ((f"/{brokered.plan('plain')}", 200), (f"/{brokered.plan('small')}", 404)):
        assert cc("GET", f"/v3/service_plans{path}", headers={"Authorization": ""}).status_code == status
    assert cc("GET", "/v3/service_plans", headers={"Authorization": "bearer forged"}).status_code == 401
    assert cc("GET", "/v3/service_instances", headers={"Authorization": ""}).status_code == 401


def test_the_marketplace_can_be_hidden_from_whoever_has_no_token(brokered: Brokered) -> None:
    cc = brokered.cc
    brokered.register()
    [offering, *_] = cc.ok("GET", "/v3/service_offerings")["resources"]
    ones = (f"/v3/service_plans/{brokered.plan('plain')}", f"/v3/service_offerings/{offering['guid']}")
    paths = ("/v3/service_plans", "/v3/service_offerings", *ones)
    for hidden, status in ((False, 200), (True, 401)):
        cc.ok("PATCH", "/v3/feature_flags/hide_marketplace_from_unauthenticated_users", {"enabled": hidden})
        for path in paths:
            assert cc("GET", path, headers={"Authorization": ""}).status_code == status
            cc.ok("GET", path)


def test_a_plan_of_a_space_tells_which(brokered: Brokered) -> None:
    """The cf CLI finds the names of space and organization by it, in what is included."""
    cc = brokered.cc
    relationships = {"space": {"data": {"guid": cc.space}}}
    brokered.done("POST", "/v3/service_brokers", brokered.broker_body(relationships=relationships))
    page = cc.ok("GET", "/v3/service_plans?names=small&include=space.organization")
    [plan], [space], [organization] = page["resources"], page["included"]["spaces"], page["included"]["organizations"]
    assert (plan["visibility_type"], plan["relationships"]["space"]) == ("space", {"data": {"guid": cc.space}})
    assert (space["guid"], space["relationships"]["organization"]["data"]["guid"]) == (cc.space, organization["guid"])
    assert plan["links"]["space"]["href"].endswith(f"/v3/spaces/{cc.space}")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": ""}, "Name can't be blank"),
        ({"url": "nonsense"}, "Url 'nonsense' must be a valid url"),
        ({"url": "http://me:secret@127.0.0.1"}, "Url must not contain authentication"),
        ({"authentication": {"type": "x"}}, "Authentication authentication.type must be one of ['basic']"),
        ({"color": 1}, "Unknown field(s): 'color'"),
    ],
)
def test_brokers_that_cannot_be(brokered: Brokered, fields: dict[str, Any], text: str) -> None:
    assert brokered.cc.detail("POST", "/v3/service_brokers", brokered.broker_body(**fields)) == text


def test_a_broker_that_refuses_us_is_not_registered(brokered: Brokered) -> None:
    told = brokered.failed("POST", "/v3/service_brokers", brokered.broker_body(password="wrong"))
    assert told == "Authentication with the service broker failed. Double-check that the username and password are correct."
    assert brokered.cc.ok("GET", "/v3/service_brokers")["resources"] == []
    brokered.broker.mood.catalog = {"services": [{"id": "x", "name": "x", "bindable": True, "plans": []}]}
    told = brokered.failed("POST", "/v3/service_brokers", brokered.broker_body())
    assert told.startswith("Service broker catalog is invalid: \nService x\n")
    assert "At least one plan is required" in told


def test_names_of_brokers_are_unique(brokered: Brokered) -> None:
    brokered.register()
    assert brokered.cc.detail("POST", "/v3/service_brokers", brokered.broker_body()) == "Name must be unique"


def test_another_catalog(brokered: Brokered) -> None:
    """What is gone from it is gone, unless there are instances: those keep an inactive plan."""
    cc, mood = brokered.cc, brokered.broker.mood
    guid = brokered.register()
    brokered.instance()
    mood.catalog["services"][0]["plans"] = [{"id": "new-id", "name": "new", "description": "new"}]
    del mood.catalog["services"][1]
    brokered.done("PATCH", f"/v3/service_brokers/{guid}", {"name": "flow2"})
    plans = cc.ok("GET", "/v3/service_plans")["resources"]
    assert [(each["name"], each["available"]) for each in plans] == [("small", False), ("new", True)]
    assert [each["name"] for each in cc.ok("GET", "/v3/service_offerings")["resources"]] == ["limiter"]
    text = "Invalid service plan. Ensure that the service plan exists, is available, and you have access to it."
    assert cc.detail("POST", "/v3/service_instances", brokered.instance_body("second")) == text


def test_from_an_instance_to_a_route_service_and_back(brokered: Brokered) -> None:
    cc, broker = brokered.cc, brokered.broker
    guid = brokered.register()
    app = cc.started()
    route = cc.route()
    cc.map(route, app)
    instance = brokered.instance(parameters={"rate": 10})
    shown = cc.ok("GET", f"/v3/service_instances/{instance}")
    assert (shown["type"], shown["dashboard_url"]) == ("managed", "http://dash.example/1")
    assert shown["last_operation"]["type"] == "create"
    assert shown["last_operation"]["state"] == "succeeded"
    provision = broker.asked[-1]
    assert provision.query == {"accepts_incomplete": "true"}
    assert provision.body["service_id"] == "rs-id"
    assert provision.body["plan_id"] == "small-id"
    assert provision.body["parameters"] == {"rate": 10}
    assert provision.body["context"]["instance_name"] == "limits"

    cc.diego.pushed.clear()
    brokered.done("POST", "/v3/service_route_bindings", cc.bind_body(route, instance, parameters={"x": 1}))
    (binding,) = brokered.bindings()
    assert binding["route_service_url"] == "https://limiter.example.com/x"
    assert binding["last_operation"]["state"] == "succeeded"
    assert broker.asked[-1].body["bind_resource"] == {"route": "music.cf.localhost"}
    assert broker.asked[-1].body["parameters"] == {"x": 1}
    assert cc.diego.pushed == [{app}]
    (lrp,) = cc.desired(app)
    assert lrp["routes"]["cf-router"][0]["route_service_url"] == "https://limiter.example.com/x"
    again = cc("POST", "/v3/service_route_bindings", cc.bind_body(route, instance))
    assert again.json()["errors"][0]["title"] == "CF-ServiceInstanceAlreadyBoundToSameRoute"
    assert cc.ok("GET", f"/v3/service_route_bindings/{binding['guid']}/parameters") == {"x": 1}
    assert cc.ok("GET", f"/v3/service_instances/{instance}/parameters") == {"rate": 10}

    text = "Can not remove brokers that have associated service instances: flow"
    assert cc.detail("DELETE", f"/v3/service_brokers/{guid}") == text
    brokered.done("DELETE", f"/v3/service_route_bindings/{binding['guid']}")
    assert cc.desired(app)[0]["routes"]["cf-router"][0].get("route_service_url", "") == ""
    brokered.done("DELETE", f"/v3/service_instances/{instance}")
    assert broker.things == {}
    assert cc.ok("GET", "/v3/service_instances")["resources"] == []
    brokered.done("DELETE", f"/v3/service_brokers/{guid}")
    assert cc.ok("GET", "/v3/service_plans")["resources"] == []
