"""Quotas: made, applied, and held."""

import threading
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from cfroute.cloud_controller import seed
from cfroute.cloud_controller.actions import routes
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.config import Config, QuotaDefinition
from cfroute.cloud_controller.errors import ApiError
from cfroute.cloud_controller.models import (
    Domain,
    ManagedInstance,
    OrganizationQuota,
    Route,
    ServiceBroker,
    ServiceInstance,
    ServiceOffering,
    ServicePlan,
    Space,
)
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.user import User

LIMITS = {
    "apps": {
        "total_memory_in_mb": 5120,
        "per_process_memory_in_mb": 1024,
        "total_instances": 10,
        "per_app_tasks": 5,
        "log_rate_limit_in_bytes_per_second": 4096,
    },
    "services": {"paid_services_allowed": False, "total_service_instances": 10, "total_service_keys": 20},
    "routes": {"total_routes": 8, "total_reserved_ports": 4},
}
NO_LIMITS = {
    "apps": dict.fromkeys(LIMITS["apps"]),
    "services": {"paid_services_allowed": True, "total_service_instances": None, "total_service_keys": None},
    "routes": {"total_routes": None, "total_reserved_ports": None},
}


def to_many(*guids: str) -> dict[str, Any]:
    return {"data": [{"guid": guid} for guid in guids]}


def limit_organization(cc: Any, **sections: Any) -> str:
    """Give the organization a quota of its own; the quota's guid."""
    relationships = {"organizations": to_many(cc.organization)}
    return str(cc.ok("POST", "/v3/organization_quotas", {"name": "q", **sections, "relationships": relationships})["guid"])


def limit_space(cc: Any, **sections: Any) -> str:
    """Give the space a quota; the quota's guid."""
    relationships = {"organization": {"data": {"guid": cc.organization}}, "spaces": to_many(cc.space)}
    return str(cc.ok("POST", "/v3/space_quotas", {"name": "q", **sections, "relationships": relationships})["guid"])


def test_organizations_have_the_default_quota(cc: Any) -> None:
    (quota,) = cc.ok("GET", "/v3/organization_quotas?names=default")["resources"]
    assert quota["routes"] == {"total_routes": 1000, "total_reserved_ports": 100}
    assert quota["apps"]["total_memory_in_mb"] == 102_400
    assert quota["relationships"] == {"organizations": to_many(cc.organization)}
    organization = cc.ok("GET", f"/v3/organizations/{cc.organization}")
    assert organization["relationships"]["quota"] == {"data": {"guid": quota["guid"]}}
    assert cc.ok("GET", organization["links"]["quota"]["href"]) == quota


def test_what_the_foundation_begins_with_is_configured(cc: Any, config: Config) -> None:
    gold = QuotaDefinition(memory_limit=-1, total_routes=-1, total_private_domains=3)
    seed.seed(cc.platform.database, msgspec.structs.replace(config, quota_definitions={"gold": gold}))
    (quota,) = cc.ok("GET", "/v3/organization_quotas?names=Gold")["resources"]
    assert (quota["apps"]["total_memory_in_mb"], quota["routes"]["total_routes"], quota["domains"]["total_domains"]) == (
        None,
        None,
        3,
    )
    default = cc.ok("GET", "/v3/organization_quotas?names=default")["resources"][0]["guid"]
    cc.ok("PATCH", f"/v3/organization_quotas/{default}", {"name": "usual"})
    seed.seed(cc.platform.database, config)
    assert [each["name"] for each in cc.ok("GET", "/v3/organization_quotas")["resources"]] == ["usual", "gold"]


def test_without_the_default_quota_there_are_no_new_organizations(cc: Any) -> None:
    default = cc.ok("GET", f"/v3/organizations/{cc.organization}")["relationships"]["quota"]["data"]["guid"]
    limit_organization(cc)
    assert cc("DELETE", f"/v3/organization_quotas/{default}").status_code == 202
    missing = cc.detail("POST", "/v3/organizations", {"name": "o"}, status=404)
    assert missing == "Quota Definition could not be found: default"


def test_organization_quotas(cc: Any) -> None:
    created = cc.ok("POST", "/v3/organization_quotas", {"name": "small", **LIMITS, "domains": {"total_domains": 2}})
    assert {key: created[key] for key in LIMITS} == LIMITS
    assert created["domains"] == {"total_domains": 2}
    assert created["relationships"] == {"organizations": {"data": []}}
    assert list(created["links"]) == ["self"]
    path = f"/v3/organization_quotas/{created['guid']}"
    assert cc.ok("GET", path) == created
    lifted = cc.ok("PATCH", path, {"name": "big", "routes": {"total_routes": None}, "services": {"paid_services_allowed": None}})
    assert (lifted["name"], lifted["routes"]["total_routes"], lifted["routes"]["total_reserved_ports"]) == ("big", None, 4)
    assert lifted["services"]["paid_services_allowed"] is True
    assert lifted["apps"] == LIMITS["apps"]
    assert cc.detail("POST", "/v3/organization_quotas", {"name": "BIG"}) == "Organization Quota 'BIG' already exists."
    assert cc.detail("PATCH", path, {"name": "default"}) == "Organization Quota 'default' already exists."
    assert cc.detail("PATCH", path, {"routes": {"total_routes": 3}}) == (
        "Total reserved ports must be -1, 0, or a positive integer, and must be less than or equal to total routes."
    )
    plain = cc.ok("POST", "/v3/organization_quotas", {"name": "plain"})
    assert {key: plain[key] for key in NO_LIMITS} == NO_LIMITS
    response = cc("DELETE", path)
    assert cc.ok("GET", response.headers["location"])["operation"] == "organization_quota.delete"
    assert cc.detail("GET", path, status=404) == "Organization quota not found"


def test_applying_organization_quotas(cc: Any) -> None:
    quota = cc.ok("POST", "/v3/organization_quotas", {"name": "q"})["guid"]
    one, two = cc.organization, cc.new_organization("two")
    path = f"/v3/organization_quotas/{quota}/relationships/organizations"
    applied = cc.ok("POST", path, to_many(one, two))
    assert applied["data"] == to_many(one, two)["data"]
    assert applied["links"]["self"]["href"].endswith(path)
    assert cc.ok("GET", f"/v3/organization_quotas?organization_guids={two}")["resources"][0]["guid"] == quota
    missing = cc.detail("POST", path, to_many(one, "x", "y"))
    assert missing == 'Organizations with guids ["x", "y"] do not exist'
    assert "Data must be an array" in cc.detail("POST", path, {"data": {"guid": one}})
    assert cc.detail("DELETE", f"/v3/organization_quotas/{quota}") == (
        "This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting."
    )
    events = cc.ok("GET", f"/v3/audit_events?target_guids={quota}")["resources"]
    assert [each["type"] for each in events] == ["audit.organization_quota.create", *["audit.organization_quota.apply"] * 2]
    assert [each["organization"] for each in events] == [None, {"guid": one}, {"guid": two}]


def test_everybody_sees_organization_quotas_but_only_his_organizations(cc: Any) -> None:
    cc.new_organization("two")
    cc.person("bob")
    cc.grant("bob", "organization_manager", cc.organization)
    mine = to_many(cc.organization)
    with cc.being("bob"):
        (quota,) = cc.ok("GET", "/v3/organization_quotas")["resources"]
        assert quota["relationships"]["organizations"] == mine
        assert cc("POST", "/v3/organization_quotas", {"name": "x"}).status_code == 403
        assert cc("PATCH", f"/v3/organization_quotas/{quota['guid']}", {"name": "x"}).status_code == 403
        assert cc("DELETE", f"/v3/organization_quotas/{quota['guid']}").status_code == 403
        path = f"/v3/organization_quotas/{quota['guid']}/relationships/organizations"
        assert cc("POST", path, mine).status_code == 403


def test_space_quotas(cc: Any) -> None:
    quota = limit_space(cc, **LIMITS)
    path = f"/v3/space_quotas/{quota}"
    shown = cc.ok("GET", path)
    assert {key: shown[key] for key in LIMITS} == LIMITS
    assert shown["relationships"] == {"organization": {"data": {"guid": cc.organization}}, "spaces": to_many(cc.space)}
    space = cc.ok("GET", f"/v3/spaces/{cc.space}")
    assert space["relationships"]["quota"] == {"data": {"guid": quota}}
    assert cc.ok("GET", space["links"]["quota"]["href"]) == shown
    for query in (f"space_guids={cc.space}", f"organization_guids={cc.organization}", "names=Q"):
        assert [each["guid"] for each in cc.ok("GET", f"/v3/space_quotas?{query}")["resources"]] == [quota]
    assert cc.ok("GET", "/v3/space_quotas?space_guids=nobody")["resources"] == []
    body = {"name": "Q", "relationships": {"organization": {"data": {"guid": cc.organization}}}}
    assert cc.detail("POST", "/v3/space_quotas", body) == "Space Quota 'Q' already exists."
    assert cc.ok("PATCH", path, {"name": "r", "routes": {"total_reserved_ports": None}})["routes"]["total_reserved_ports"] is None
    too_many = cc.detail("PATCH", path, {"routes": {"total_routes": 500, "total_reserved_ports": 101}})
    assert too_many.endswith("and must be less than or equal to total reserved ports for the organization quota.")
    assert cc.detail("DELETE", path) == (
        "This quota is applied to one or more spaces. Remove this quota from all spaces before deleting."
    )
    assert cc("DELETE", f"{path}/relationships/spaces/{cc.space}").status_code == 204
    assert cc.detail("DELETE", f"{path}/relationships/spaces/{cc.space}") == (
        f"Unable to remove quota from space with guid '{cc.space}'. Ensure the space quota is applied to this space."
    )
    response = cc("DELETE", path)
    assert cc.ok("GET", response.headers["location"])["operation"] == "space_quota.delete"
    assert cc.detail("GET", path, status=404) == "Space quota not found"
    types = [each["type"] for each in cc.ok("GET", f"/v3/audit_events?target_guids={quota}")["resources"]]
    assert types == [f"audit.space_quota.{each}" for each in ("create", "apply", "update", "remove", "delete")]


def test_space_quotas_stay_in_their_organization(cc: Any) -> None:
    other = cc.new_organization("other")
    elsewhere = cc.new_space("elsewhere", other)
    quota = limit_space(cc)
    path = f"/v3/space_quotas/{quota}/relationships/spaces"
    assert cc.detail("POST", path, to_many(elsewhere)) == "Space quotas cannot be applied outside of their owning organization."
    assert cc.detail("POST", path, to_many("x")) == 'Spaces with guids ["x"] do not exist, or you do not have access to them.'
    relationships = {"organization": {"data": {"guid": other}}, "spaces": to_many(cc.space)}
    assert cc.detail("POST", "/v3/space_quotas", {"name": "q", "relationships": relationships}) == (
        f'Spaces with guids ["{cc.space}"] do not exist within the organization specified, or you do not have access to them.'
    )
    relationships = {"organization": {"data": {"guid": "nobody"}}}
    assert cc.detail("POST", "/v3/space_quotas", {"name": "q", "relationships": relationships}) == (
        "Organization with guid 'nobody' does not exist, or you do not have access to it."
    )
    cc.ok("POST", "/v3/space_quotas", {"name": "q", "relationships": {"organization": {"data": {"guid": other}}}})
    spaces = [cc.space, cc.new_space("more")]
    assert cc.ok("POST", path, to_many(*spaces))["data"] == to_many(*spaces)["data"]
    cc.person("dev")
    cc.grant("dev", "space_developer", cc.space)
    space = cc.space
    with cc.being("dev"):
        (seen,) = cc.ok("GET", "/v3/space_quotas")["resources"]
        assert seen["relationships"]["spaces"] == to_many(space)
    assert cc("DELETE", f"/v3/organizations/{other}").status_code == 202
    assert len(cc.ok("GET", "/v3/space_quotas")["resources"]) == 1


def test_routes_quotas(cc: Any) -> None:
    """The space's is told before the organization's; who has no quota of his own is limited by the organization's alone."""
    organization = limit_organization(cc, routes={"total_routes": 2})
    space = limit_space(cc, routes={"total_routes": 1})
    cc.route("one")
    create = ("POST", "/v3/routes", cc.route_body(host="two"))
    assert cc.detail(*create) == "Routes quota exceeded for space 'dev'."
    other = cc.new_space("other")
    cc.route("two", space=other)
    assert cc.detail("POST", "/v3/routes", cc.route_body(host="three", space=other)) == (
        "Routes quota exceeded for organization 'local'."
    )
    cc.ok("PATCH", f"/v3/space_quotas/{space}", {"routes": {"total_routes": None}})
    assert cc.detail("POST", "/v3/routes", cc.route_body(host="three")) == "Routes quota exceeded for organization 'local'."
    cc.ok("PATCH", f"/v3/organization_quotas/{organization}", {"routes": {"total_routes": None}})
    cc.route("three")


def test_a_quota_is_told_after_the_domain_and_before_the_host(cc: Any) -> None:
    limit_organization(cc, routes={"total_routes": 1})
    cc.route("taken")
    theirs = {"name": "their.test", "relationships": {"organization": {"data": {"guid": cc.new_organization("them")}}}}
    domain = cc.ok("POST", "/v3/domains", theirs)["guid"]
    assert "is not available in organization" in cc.detail("POST", "/v3/routes", cc.route_body(domain, host="x"))
    for host in ("taken", "api", ""):
        assert cc.detail("POST", "/v3/routes", cc.route_body(host=host)) == "Routes quota exceeded for organization 'local'."


def test_ports_quotas(cc: Any) -> None:
    tcp = cc.domain("tcp.cf.localhost")
    organization = limit_organization(cc, routes={"total_reserved_ports": 2})
    limit_space(cc, routes={"total_reserved_ports": 1})
    cc.route("http")
    cc.ok("POST", "/v3/routes", cc.route_body(tcp, port=1024))
    for port in ({}, {"port": 1025}):
        assert (
            cc.detail("POST", "/v3/routes", cc.route_body(tcp, **port)) == "Reserved route ports quota exceeded for space 'dev'."
        )
    cc.route("http-again")
    other = cc.new_space("other")
    cc.ok("POST", "/v3/routes", cc.route_body(tcp, other))
    exceeded = "Reserved route ports quota exceeded for organization 'local'."
    assert cc.detail("POST", "/v3/routes", cc.route_body(tcp, other)) == exceeded
    cc.ok("PATCH", f"/v3/organization_quotas/{organization}", {"routes": {"total_reserved_ports": 3}})
    cc.ok("POST", "/v3/routes", cc.route_body(tcp, other))


@pytest.mark.parametrize("routes_", [{"random-route": True}, {"default-route": True}, {"routes": [{"route": "x.cf.localhost"}]}])
def test_manifests_are_held_to_quotas(cc: Any, routes_: dict[str, Any]) -> None:
    limit_space(cc, routes={"total_routes": 0})
    manifest = {"applications": [{"name": "music", **routes_}]}
    path = f"/v3/spaces/{cc.space}/actions/apply_manifest"
    response = cc("POST", path, content=msgspec.yaml.encode(manifest), headers={"Content-Type": "application/x-yaml"})
    (error,) = cc.ok("GET", response.headers["location"])["errors"]
    assert error["detail"].endswith("Routes quota exceeded for space 'dev'.")
    assert cc.ok("GET", "/v3/routes")["resources"] == []


def test_private_domains_quota(cc: Any) -> None:
    limit_organization(cc, domains={"total_domains": 1})
    body = {"name": "a.test", "relationships": {"organization": {"data": {"guid": cc.organization}}}}
    cc.ok("POST", "/v3/domains", body)
    exceeded = 'The number of private domains exceeds the quota for organization "local"'
    assert cc.detail("POST", "/v3/domains", {**body, "name": "b.test"}) == exceeded
    assert cc.detail("POST", "/v3/domains", body) == 'The domain name "a.test" is already in use'
    cc.ok("POST", "/v3/domains", {"name": "shared.test"})


def test_what_runs_is_limited(cc: Any) -> None:
    quota = limit_organization(cc, apps={"total_memory_in_mb": 2048, "per_process_memory_in_mb": 1500, "total_instances": 2})
    app = cc.started()
    scale = f"/v3/apps/{app}/processes/web/actions/scale"
    assert cc.detail("POST", scale, {"instances": 3}) == ("memory quota_exceeded, app_instance_limit app_instance_limit_exceeded")
    assert cc.detail("POST", scale, {"memory_in_mb": 1501}) == "memory instance_memory_limit_exceeded"
    cc.ok("POST", scale, {"instances": 2})
    second = cc.app("second")
    cc.droplet(second)
    assert "memory quota_exceeded" in cc.detail("POST", f"/v3/apps/{second}/actions/start")
    assert cc.ok("GET", f"/v3/apps/{second}")["state"] == "STOPPED"
    limit_space(cc, apps={"total_memory_in_mb": 1024})
    assert cc.detail("POST", f"/v3/apps/{app}/actions/restart") == "memory space_quota_exceeded"
    cc.ok("POST", f"/v3/apps/{app}/actions/stop")
    cc.ok("PATCH", f"/v3/organization_quotas/{quota}", {"apps": {"total_instances": 1}})
    cc.ok("POST", f"/v3/apps/{second}/actions/start")


def test_a_deployment_needs_room_for_both_processes(cc: Any) -> None:
    limit_space(cc, apps={"total_memory_in_mb": 1024})
    app = cc.started()
    create = ("POST", "/v3/deployments", {"relationships": {"app": {"data": {"guid": app}}}})
    assert cc.detail(*create).startswith("memory space_quota_exceeded for space dev. This space's quota may not be large enough")
    assert cc.ok("GET", "/v3/deployments")["resources"] == []


def test_service_instances_and_keys_are_limited(cc: Any) -> None:
    plan = _plan(cc)
    relationships = {"space": {"data": {"guid": cc.space}}, "service_plan": {"data": {"guid": plan}}}
    create = ("POST", "/v3/service_instances", {"type": "managed", "name": "more", "relationships": relationships})
    quota = limit_space(cc, services={"total_service_instances": 0, "paid_services_allowed": False, "total_service_keys": 0})
    cc.service()  # a user-provided one is none of a broker's
    assert cc.detail(*create) == "You have exceeded your space's services limit."
    cc.ok("PATCH", f"/v3/space_quotas/{quota}", {"services": {"total_service_instances": None}})
    paid = "The service instance cannot be created because paid service plans are not allowed"
    assert cc.detail(*create) == f"{paid} for your space."
    cc.ok("PATCH", f"/v3/space_quotas/{quota}", {"services": {"paid_services_allowed": True}})
    limit_organization(cc, services={"paid_services_allowed": False})
    assert cc.detail(*create) == f"{paid}."
    with cc.platform.database.writing() as session:
        found = ServiceInstance(name="m", space_guid=cc.space, type="managed", managed=ManagedInstance(plan_guid=plan))
        session.add(found)
        session.flush()
        instance = found.guid
    key = {"type": "key", "name": "k", "relationships": {"service_instance": {"data": {"guid": instance}}}}
    exceeded = "You have exceeded your space's limit for service binding of type key."
    assert cc.detail("POST", "/v3/service_credential_bindings", key) == exceeded


def _plan(cc: Any) -> str:
    """The guid of a plan that costs something."""
    broker = ServiceBroker(name="b", url="https://broker.test", username="u", password="p")
    features = dict.fromkeys(("plan_updateable", "instances_retrievable", "bindings_retrievable", "allow_context_updates"), False)
    offering = ServiceOffering(catalog_id="o", name="o", description="", bindable=True, broker=broker, **features)
    plan = ServicePlan(catalog_id="p", name="p", description="", free=False, public=True, offering=offering)
    with cc.platform.database.writing() as session:
        session.add_all([broker, offering, plan])
        session.flush()
        return str(plan.guid)


def test_usage(cc: Any) -> None:
    cc.started()
    cc.route("a")
    cc.ok("POST", "/v3/routes", cc.route_body(cc.domain("tcp.cf.localhost"), cc.new_space("other")))
    cc.ok("POST", "/v3/domains", {"name": "a.test", "relationships": {"organization": {"data": {"guid": cc.organization}}}})
    whole = cc.ok("GET", f"/v3/organizations/{cc.organization}/usage_summary")
    assert whole["usage_summary"] == {
        "started_instances": 1,
        "memory_in_mb": 1024,
        "routes": 2,
        "service_instances": 0,
        "reserved_ports": 1,
        "domains": 1,
        "per_app_tasks": 0,
        "service_keys": 0,
    }
    assert list(whole["links"]) == ["self", "organization"]
    part = cc.ok("GET", f"/v3/spaces/{cc.space}/usage_summary")
    assert part["usage_summary"] == {**whole["usage_summary"], "routes": 1, "reserved_ports": 0}
    assert list(part["links"]) == ["self", "space"]


def test_who_is_fast_gets_no_more_than_the_quota(cc: Any) -> None:
    """Of many who create a route at once as many succeed as there is room for."""
    limit_space(cc, routes={"total_routes": 5})
    database, outcomes = cc.platform.database, []
    begin = threading.Barrier(12)

    def create(number: int) -> None:
        begin.wait()
        try:
            with database.writing() as session:
                call = Call(cc.platform, session, User("guid-of-admin", "admin", frozenset()), Urls("http://api.test"))
                domain, space = session.scalars(select(Domain)).first(), session.scalars(select(Space)).one()
                routes.create_route(call, domain, space, host=f"h{number}")
            outcomes.append("")
        except ApiError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [""] * 5 + ["Routes quota exceeded for space 'dev'."] * 7
    with database.reading() as session:
        assert len(session.scalars(select(Route.guid)).all()) == 5
        assert session.scalars(select(OrganizationQuota.name)).all() == ["default"]
