"""Who sees and does what: every line of the API, asked by everybody."""

from types import ModuleType
from typing import Any

import pytest

from cfroute.cloud_controller import resources
from cfroute.cloud_controller.endpoints import Endpoint
from cfroute.cloud_controller.listing import Listing
from cfroute.cloud_controller.permissions import RULES
from cfroute.cloud_controller.visibility import _VISIBLE

from .world import ROLES, World

SECURED = [each for each in resources.ENDPOINTS if not each.open]
NAMES = [f"{each.method} {each.path}" for each in SECURED]


def test_every_rule_is_of_a_line_of_the_api() -> None:
    assert RULES.keys() <= set(NAMES)


def test_everything_that_is_listed_is_seen_by_somebody_besides_admins() -> None:
    modules = [each for each in vars(resources).values() if isinstance(each, ModuleType)]
    listed = {each.model for module in modules for each in vars(module).values() if isinstance(each, Listing)}
    assert listed <= _VISIBLE.keys()


def test_what_is_in_another_organization_is_not_there(world: World) -> None:
    """Lists do not have it, its address answers 404, and nothing can be done to it, by anybody."""
    cc = world.cc
    for who in (*ROLES, "stranger"):
        with cc.being(who):
            for endpoint in SECURED:
                _keeps_out(world, who, endpoint)
    for kind, guid in world.things[world.theirs].items():
        if kind != "destinations":
            cc.ok("GET", f"/v3/{kind}/{guid}")


def _keeps_out(world: World, who: str, endpoint: Endpoint) -> None:
    path = world.path(endpoint.path, world.theirs)
    if path is None or any(each in path for each in ("feature_flags", "organization_quotas", "/v3/security_groups")):
        return  # there is nothing of anybody's
    answer = world.cc(endpoint.method, path, world.body(endpoint, world.theirs))
    if "{guid}" in endpoint.path:
        wanted = (404,) if endpoint.method == "GET" else (403, 404)
        assert answer.status_code in wanted, (who, endpoint, answer.text)
    elif endpoint.method == "GET":
        assert answer.status_code == 200, (who, endpoint)
        theirs = world.guids(world.theirs)
        assert not theirs & {each.get("guid") for each in answer.json().get("resources", [])}, (who, endpoint)


def allowed(method: str, path: str) -> set[str]:
    """The roles that may do it in their place, by the table."""
    rule = RULES.get(f"{method} {path}")
    return set(rule.roles) if rule else set()


@pytest.mark.parametrize("who", ROLES)
def test_what_is_done_is_what_the_table_says(world: World, who: str) -> None:
    """403 for what one sees and may not change; never 403 for what one may."""
    cc = world.cc
    before = _state(cc)
    with cc.being(who):
        for endpoint in SECURED:
            path = world.path(endpoint.path, cc.organization)
            if endpoint.method == "GET" or path is None or "{guid}" not in endpoint.path or path.startswith("/v3/users"):
                continue
            if endpoint.method == "DELETE" and who in allowed(endpoint.method, endpoint.path):
                continue  # what is gone could not be asked for again
            answer = cc(endpoint.method, path, world.body(endpoint, cc.organization))
            if who in allowed(endpoint.method, endpoint.path):
                assert answer.status_code not in (403, 404) or "destination" in path, (endpoint, answer.text)
            else:
                assert answer.status_code in (403, 404), (endpoint, answer.text)
    assert _state(cc) == before or who in allowed("POST", "/v3/apps/{guid}/actions/start")


@pytest.mark.parametrize("who", ROLES)
def test_in_a_suspended_organization_nobody_changes_anything(world: World, who: str) -> None:
    """Whoever might otherwise is told that it is suspended; everybody sees what he saw before."""
    cc = world.cc
    seen = _seen(world, who)
    cc.ok("PATCH", f"/v3/organizations/{cc.organization}", {"suspended": True})
    before = _state(cc)
    with cc.being(who):
        for endpoint in SECURED:
            path = world.path(endpoint.path, cc.organization)
            if endpoint.method == "GET" or path is None or "{guid}" not in endpoint.path or path.startswith("/v3/users"):
                continue
            answer = cc(endpoint.method, path, world.body(endpoint, cc.organization))
            of_organization = who == "space_manager" and endpoint.path == "/v3/roles/{guid}"
            if who in allowed(endpoint.method, endpoint.path) and not of_organization:
                assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, 10017), (endpoint, answer.text)
            else:
                assert answer.status_code in (403, 404), (endpoint, answer.text)
                assert answer.json()["errors"][0]["code"] != 10017, endpoint
    assert _state(cc) == before
    assert _seen(world, who) == seen


def _seen(world: World, who: str) -> list[tuple[str, int]]:
    """How every request that only reads is answered."""
    cc = world.cc
    paths = [path for each in SECURED if each.method == "GET" and (path := world.path(each.path, cc.organization))]
    with cc.being(who):
        return [(path, cc("GET", path).status_code) for path in paths]


def test_admins_change_what_is_suspended_and_lift_it(cc: Any) -> None:
    organization, body = cc.organization, cc.route_body(host="by-developer")
    path = f"/v3/organizations/{organization}"
    for who, kind, place in (("boss", "organization_manager", organization), ("dev", "space_developer", cc.space)):
        cc.person(who)
        cc.grant(who, kind, place)
    with cc.being("boss"):
        assert cc("PATCH", path, {"suspended": True}).status_code == 403
        assert cc.ok("PATCH", path, {"metadata": {"labels": {"a": "b"}}})["suspended"] is False
    assert cc.detail("PATCH", path, {"suspended": "yes"}) == "Suspended must be a boolean"
    assert cc.ok("PATCH", path, {"suspended": True})["suspended"] is True
    cc.route("by-admin")
    with cc.being("dev"):
        assert cc.detail("POST", "/v3/routes", body, status=403) == "The organization is suspended"
    cc.ok("PATCH", path, {"suspended": False})
    with cc.being("dev"):
        cc.ok("POST", "/v3/routes", body)
    assert cc.ok("POST", "/v3/organizations", {"name": "born", "suspended": True})["suspended"] is True


def _state(cc: Any) -> list[Any]:
    kinds = ("organizations", "spaces", "domains", "routes", "apps", "service_instances", "roles")
    return [[each["guid"] for each in cc.ok("GET", f"/v3/{kind}?per_page=100")["resources"]] for kind in kinds]


@pytest.mark.parametrize(
    ("scope", "secrets"), [("cloud_controller.admin_read_only", True), ("cloud_controller.global_auditor", False)]
)
def test_who_reads_everything_changes_nothing(world: World, scope: str, secrets: bool) -> None:
    cc = world.cc
    with cc.being("stranger", scope, "cloud_controller.write"):
        app = world.things[world.theirs]["apps"]
        assert cc("GET", f"/v3/apps/{app}").status_code == 200
        assert cc("GET", f"/v3/apps/{app}/env").status_code == (200 if secrets else 403)
        assert cc("POST", f"/v3/apps/{app}/actions/stop").status_code == 403
        assert cc("DELETE", f"/v3/apps/{app}").status_code == 403
        body = {"name": "mine", "relationships": {"space": {"data": {"guid": world.things[world.theirs]["spaces"]}}}}
        assert cc("POST", "/v3/apps", body).status_code == 403


def test_a_developer_develops_and_no_more(world: World) -> None:
    cc = world.cc
    space, organization, domain = cc.space, cc.organization, cc.domain()
    theirs = world.things[world.theirs]
    with cc.being("space_developer"):
        app = cc.app("mine", space)
        route = cc.ok("POST", "/v3/routes", cc.route_body(domain, space, host="mine"))["guid"]
        cc.map(route, app)
        assert cc.ok("GET", f"/v3/apps/{app}/env")["environment_variables"] == {}
        invisible = "Invalid space. Ensure that the space exists and you have access to it."
        elsewhere = {"name": "x", "relationships": {"space": {"data": {"guid": theirs["spaces"]}}}}
        assert cc.detail("POST", "/v3/apps", elsewhere) == invisible
        assert cc.detail("POST", "/v3/routes", cc.route_body(domain, theirs["spaces"], host="x")) == invisible
        own = {"name": "new", "relationships": {"organization": {"data": {"guid": organization}}}}
        assert cc("POST", "/v3/spaces", own).status_code == 403
        assert cc("PATCH", f"/v3/spaces/{space}", {"name": "new"}).status_code == 403
        foreign = cc.detail("POST", "/v3/routes", cc.route_body(theirs["domains"], space, host="x"))
        assert foreign == "Invalid domain. Ensure that the domain exists and you have access to it."


def test_who_makes_an_organization_manages_it(cc: Any) -> None:
    cc.ok("PATCH", "/v3/feature_flags/user_org_creation", {"enabled": True})
    with cc.being("bob"):
        mine = cc.new_organization("mine")
        assert [each["name"] for each in cc.ok("GET", "/v3/organizations")["resources"]] == ["mine"]
        space = cc.new_space("dev", mine)
        assert [each["guid"] for each in cc.ok("GET", "/v3/spaces")["resources"]] == [space]
        assert cc("DELETE", f"/v3/organizations/{mine}").status_code == 403
