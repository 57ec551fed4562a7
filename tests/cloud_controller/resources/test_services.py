"""User-provided service instances, and their bindings to routes and apps."""

import json
from typing import Any

import pytest


def test_a_user_provided_service_instance(cc: Any) -> None:
    body = {
        "type": "user-provided",
        "name": "logger",
        "route_service_url": "https://logger.cf.localhost",
        "credentials": {"a": {"b": 1}},
        "tags": ["t"],
        "relationships": {"space": {"data": {"guid": cc.space}}},
    }
    made = cc.ok("POST", "/v3/service_instances", body)
    assert made["route_service_url"] == "https://logger.cf.localhost"
    assert made["syslog_drain_url"] is None
    operation = {name: made["last_operation"][name] for name in ("type", "state", "description")}
    assert operation == {"type": "create", "state": "succeeded", "description": "Operation succeeded"}
    assert "credentials" not in made
    path = f"/v3/service_instances/{made['guid']}"
    assert cc.ok("GET", f"{path}/credentials") == {"a": {"b": 1}}
    assert cc.detail("GET", f"{path}/parameters", status=400) == (
        "This service does not support fetching service instance parameters."
    )
    shared = cc.ok("GET", f"{path}/relationships/shared_spaces?fields[space]=guid")
    assert (shared["data"], shared["included"]) == ([], {"spaces": []})
    assert cc.detail("POST", "/v3/service_instances", body | {"name": "Logger"}) == (
        "The service instance name is taken: Logger."
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"route_service_url": "http://x.y"}, "Route service url must be https"),
        (
            {"route_service_url": "nonsense"},
            "Route service url must be a valid URI, Route service url must be https",
        ),
        ({"route_service_url": "https://"}, "service_instance route_service_url_invalid"),
        ({"color": 1}, "Unknown field(s): 'color'"),
        (
            {"type": "managed"},
            (
                "Relationships Service plan can't be blank, Relationships Service plan must be structured like this: "
                '"service_plan: {"data": {"guid": "valid-guid"}}"'
            ),
        ),
        ({"type": "other"}, "Type must be one of 'managed', 'user-provided'"),
        (
            {"relationships": {"space": {"data": {"guid": "x"}}}},
            "Invalid space. Ensure that the space exists and you have access to it.",
        ),
    ],
)
def test_service_instances_that_cannot_be(cc: Any, fields: dict[str, Any], text: str) -> None:
    relationships = {"space": {"data": {"guid": cc.space}}}
    body = {"type": "user-provided", "name": "x", "relationships": relationships}
    assert cc.detail("POST", "/v3/service_instances", body | fields) == text


def test_lists_with_fields(cc: Any) -> None:
    service = cc.service()
    query = (
        "order_by=name&per_page=5000&fields[space]=guid,name&fields[space.organization]=guid,name"
        "&fields[service_plan]=guid,name&fields[service_plan.service_offering.service_broker]=guid"
    )
    listed = cc.ok("GET", f"/v3/service_instances?space_guids={cc.space}&{query}")
    assert [each["guid"] for each in listed["resources"]] == [service]
    assert [each["name"] for each in listed["included"]["spaces"]] == ["dev"]
    assert [each["name"] for each in listed["included"]["organizations"]] == ["local"]
    assert listed["included"]["service_plans"] == listed["included"]["service_brokers"] == []
    assert cc.ok("GET", f"/v3/service_instances?names=LOGGER&space_guids={cc.space}")["resources"]


def test_binding_a_route_service(cc: Any) -> None:
    app, route, service = cc.started(), cc.route(), cc.service()
    cc.map(route, app)
    bound = cc.ok("POST", "/v3/service_route_bindings", cc.bind_body(route, service))
    assert bound["route_service_url"] == "https://logger.cf.localhost"
    assert bound["last_operation"]["state"] == "succeeded"
    assert cc.desired(app)[0]["routes"]["cf-router"][0]["route_service_url"] == "https://logger.cf.localhost"
    assert cc.diego.pushed[-1] == {app}
    query = f"route_guids={route}&service_instance_guids={service}&include=service_instance,route"
    listed = cc.ok("GET", f"/v3/service_route_bindings?{query}&service_instance_names=logger")
    assert [each["guid"] for each in listed["resources"]] == [bound["guid"]]
    assert [each["name"] for each in listed["included"]["service_instances"]] == ["logger"]
    assert [each["guid"] for each in listed["included"]["routes"]] == [route]
    url = {"route_service_url": "https://other.cf.localhost"}
    cc.ok("PATCH", f"/v3/service_instances/{service}", url)
    assert cc.ok("GET", f"/v3/service_route_bindings/{bound['guid']}")["route_service_url"] == url["route_service_url"]
    assert cc.desired(app)[0]["routes"]["cf-router"][0]["route_service_url"] == url["route_service_url"]
    assert cc("DELETE", f"/v3/service_route_bindings/{bound['guid']}").status_code == 204
    assert cc.desired(app)[0]["routes"]["cf-router"][0]["route_service_url"] == ""
    assert cc.diego.pushed[-1] == {app}


def test_deleting_the_service_instance_unbinds(cc: Any) -> None:
    app, route, service = cc.started(), cc.route(), cc.service()
    cc.map(route, app)
    cc.ok("POST", "/v3/service_route_bindings", cc.bind_body(route, service))
    assert cc("DELETE", f"/v3/service_instances/{service}").status_code == 204
    assert cc.ok("GET", "/v3/service_route_bindings")["resources"] == []
    assert cc.desired(app)[0]["routes"]["cf-router"][0]["route_service_url"] == ""


def test_route_bindings_that_cannot_be_in_upstreams_order(cc: Any) -> None:
    path, route, service = "/v3/service_route_bindings", cc.route(), cc.service()
    assert cc.detail("POST", path, cc.bind_body(route, "x")) == "The service instance could not be found: x"
    assert cc.detail("POST", path, cc.bind_body("y", service)) == "The route could not be found: y"
    with_parameters = cc.bind_body(route, cc.service("none", None), parameters={"a": 1})
    assert cc.detail("POST", path, with_parameters) == (
        "Binding parameters are not supported for user-provided service instances"
    )
    internal = cc.ok("POST", "/v3/routes", cc.route_body(cc.domain("apps.internal"), host="i"))["guid"]
    without_url = cc.bind_body(internal, cc.service("none2", None))
    assert cc.detail("POST", path, without_url) == "This service instance does not support route binding"
    space = cc.new_space("s")
    elsewhere = cc.service("elsewhere", space=space)
    assert cc.detail("POST", path, cc.bind_body(internal, elsewhere)) == ("Route services cannot be bound to internal routes")
    assert cc.detail("POST", path, cc.bind_body(route, elsewhere)) == (
        "The service instance and the route are in different spaces"
    )
    cc.ok("POST", path, cc.bind_body(route, service))
    assert cc.detail("POST", path, cc.bind_body(route, cc.service("second"))) == (
        "A route may only be bound to a single service instance"
    )
    response = cc("POST", path, cc.bind_body(route, service))
    assert response.json()["errors"] == [
        {
            "code": 130008,
            "title": "CF-ServiceInstanceAlreadyBoundToSameRoute",
            "detail": "The route and service instance are already bound.",
        }
    ]


def test_a_bound_instance_keeps_its_url(cc: Any) -> None:
    route, service = cc.route(), cc.service()
    cc.ok("POST", "/v3/service_route_bindings", cc.bind_body(route, service))
    path = f"/v3/service_instances/{service}"
    assert "needs its route service URL" in cc.detail("PATCH", path, {"route_service_url": None})


def test_tcp_routes_are_bound_with_a_warning(cc: Any) -> None:
    route = cc.ok("POST", "/v3/routes", cc.route_body(cc.domain("tcp.cf.localhost"), port=1024))["guid"]
    response = cc("POST", "/v3/service_route_bindings", cc.bind_body(route, cc.service()))
    assert response.status_code == 201
    assert "no%20effect" in response.headers["x-cf-warnings"]


def test_credentials_reach_apps_at_their_next_start(cc: Any) -> None:
    app, service = cc.started(), cc.service(credentials={"password": "p"}, tags=["t"])
    relationships = {"app": {"data": {"guid": app}}, "service_instance": {"data": {"guid": service}}}
    body = {"type": "app", "name": "b", "relationships": relationships}
    binding = cc.ok("POST", "/v3/service_credential_bindings", body)
    assert (binding["type"], binding["name"], binding["relationships"]) == ("app", "b", relationships)
    expected = {
        "label": "user-provided",
        "name": "b",
        "tags": ["t"],
        "instance_guid": service,
        "instance_name": "logger",
        "binding_guid": binding["guid"],
        "binding_name": "b",
        "credentials": {"password": "p"},
        "syslog_drain_url": None,
        "volume_mounts": [],
    }
    environment = cc.ok("GET", f"/v3/apps/{app}/env")
    assert environment["system_env_json"] == {"VCAP_SERVICES": {"user-provided": [expected]}}
    assert cc.desired(app)[0]["environment"]["VCAP_SERVICES"] == "{}"
    cc.ok("POST", f"/v3/apps/{app}/actions/restart")
    told = json.loads(cc.desired(app)[0]["environment"]["VCAP_SERVICES"])
    assert told == {"user-provided": [expected]}
    path = f"/v3/service_credential_bindings/{binding['guid']}"
    assert cc.ok("GET", f"{path}/details") == {"credentials": {"password": "p"}}
    listed = cc.ok("GET", f"/v3/service_credential_bindings?include=app&service_instance_guids={service}&type=app")
    assert [each["guid"] for each in listed["included"]["apps"]] == [app]
    assert cc.ok("GET", "/v3/service_credential_bindings?type=key")["resources"] == []
    assert cc.detail("POST", "/v3/service_credential_bindings", body) == ("The app is already bound to the service instance")
    key = {"type": "key", "name": "k", "relationships": {"service_instance": {"data": {"guid": service}}}}
    assert "not supported" in cc.detail("POST", "/v3/service_credential_bindings", key)
    assert cc("DELETE", path).status_code == 204
    assert cc.ok("GET", f"/v3/apps/{app}/env")["system_env_json"] == {"VCAP_SERVICES": {}}


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (
            "service_instances?fields[fruit]=name",
            "Fields [fruit] valid resources are: 'space', 'space.organization', 'service_plan', ",
        ),
        (
            "service_instances?fields[space]=metadata&fields[service_plan]=guid",
            "Fields valid keys for 'space' are: 'guid', 'name', 'relationships.organization'",
        ),
        (
            "service_instances/{}?fields[space.organization]=suspended",
            "Fields valid keys for 'space.organization' are: 'name', 'guid'",
        ),
        ("service_instances/{}?fields=name", "Fields must be an object"),
        (
            "service_instances/{}/relationships/shared_spaces?fields[space]=metadata",
            "Fields valid keys for 'space' are: 'name', 'guid', 'relationships.organization'",
        ),
        ("service_offerings?fields[service_broker]=url", "Fields valid keys for 'service_broker' are: 'guid', 'name'"),
        (
            "service_plans?fields[service_broker]=name",
            "Fields [service_broker] valid resources are: 'service_offering.service_broker'",
        ),
    ],
)
def test_only_some_keys_of_related_things_can_be_asked_for(cc: Any, query: str, problem: str) -> None:
    told = cc.detail("GET", f"/v3/{query.format(cc.service())}", status=400)
    assert told.startswith(f"The query parameter is invalid: {problem}")


def test_no_key_of_a_related_thing_is_asked_for(cc: Any) -> None:
    included = cc.ok("GET", f"/v3/service_instances/{cc.service()}?fields[space]=")["included"]
    assert included == {"spaces": [{}]}
