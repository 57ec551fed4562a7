"""Routes that several spaces have."""

from typing import Any

import pytest


@pytest.fixture
def other(cc: Any) -> str:
    """Another space, while routes may be shared."""
    cc.ok("PATCH", "/v3/feature_flags/route_sharing", {"enabled": True})
    return str(cc.new_space("other"))


def spaces(cc: Any, route: str) -> list[str]:
    return [each["guid"] for each in cc.ok("GET", f"/v3/routes/{route}/relationships/shared_spaces")["data"]]


def share(cc: Any, route: str, *guids: str) -> Any:
    return cc.ok("POST", f"/v3/routes/{route}/relationships/shared_spaces", {"data": [{"guid": guid} for guid in guids]})


def move(route: str, space: str) -> tuple[str, str, Any]:
    return "PATCH", f"/v3/routes/{route}/relationships/space", {"data": {"guid": space}}


def test_nothing_is_shared_while_the_flag_is_off(cc: Any) -> None:
    route, path = cc.route(), "/v3/routes/{}/relationships/{}"
    for method, end in (("POST", "shared_spaces"), ("DELETE", f"shared_spaces/{cc.space}"), ("PATCH", "space")):
        answer = cc(method, path.format(route, end), {})
        assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (403, "Feature Disabled: route_sharing")


def test_apps_of_a_space_that_shares_the_route_may_have_it(cc: Any, other: str) -> None:
    route, app = cc.route(), cc.app("theirs", other)
    body = {"destinations": [{"app": {"guid": app}}]}
    refused = "Routes destinations must be in either the route's space or the route's shared spaces"
    assert cc.detail("POST", f"/v3/routes/{route}/destinations", body) == refused
    shared = share(cc, route, other, other)
    path = f"/v3/routes/{route}/relationships/shared_spaces"
    assert shared == {"data": [{"guid": other}], "links": {"self": {"href": f"http://api.test{path}"}}}
    assert share(cc, route, other)["data"] == [{"guid": other}]
    cc.map(route, app)
    assert [each["guid"] for each in cc.ok("GET", f"/v3/routes?space_guids={other}")["resources"]] == [route]
    assert cc("DELETE", f"{path}/{other}").status_code == 204
    assert cc("DELETE", f"{path}/{other}").status_code == 204
    assert spaces(cc, route) == []
    types = [each["type"] for each in cc.ok("GET", f"/v3/audit_events?target_guids={route}")["resources"]]
    assert types.count("audit.route.share") == types.count("audit.route.unshare") == 1


def test_what_cannot_be_shared(cc: Any, other: str) -> None:
    route, path = cc.route(), "/v3/routes/{}/relationships/shared_spaces"
    own = f"Unable to share route 'music.cf.localhost' with space '{cc.space}'. "
    own += "Routes cannot be shared into the space where they were created."
    assert cc.detail("POST", path.format(route), {"data": [{"guid": cc.space}]}) == own
    text = "Unable to share route music.cf.localhost with spaces ['x', 'y']. "
    text += "Ensure the spaces exist and that you have access to them."
    wanted = [{"guid": "x"}, {"guid": other}, {"guid": "y"}]
    assert cc.detail("POST", path.format(route), {"data": wanted}) == text
    assert cc.detail("POST", path.format(route), {"data": {}}).startswith("Data must be an array")
    assert spaces(cc, route) == []
    failed = "Unable to unshare route 'music.cf.localhost' from space '{}'. "
    owner = failed.format(cc.space) + "Routes cannot be removed from the space that owns them."
    assert cc.detail("DELETE", f"{path.format(route)}/{cc.space}") == owner
    unknown = failed.format("x") + "Ensure the space exists and that you have access to it."
    assert cc.detail("DELETE", f"{path.format(route)}/x") == unknown
    assert cc("GET", path.format("nothing")).status_code == 404


def test_a_route_that_moves_stays_shared_with_the_space_that_had_it(cc: Any, other: str) -> None:
    route, app = cc.route(), cc.app()
    cc.map(route, app)
    share(cc, route, other)
    assert cc.ok(*move(route, other)) == {"status": "ok"}
    assert cc.ok(*move(route, other)) == {"status": "ok"}
    assert cc.ok("GET", f"/v3/routes/{route}")["relationships"]["space"]["data"]["guid"] == other
    assert spaces(cc, route) == [cc.space]
    assert [each["app"]["guid"] for each in cc.ok("GET", f"/v3/routes/{route}/destinations")["destinations"]] == [app]
    missing = "Unable to transfer owner of route 'music.cf.localhost' to space 'x'. "
    assert cc.detail(*move(route, "x")) == missing + "Ensure the space exists and that you have access to it."


def test_spaces_have_to_be_allowed_to_use_the_domain(cc: Any, other: str) -> None:
    relationships = {"organization": {"data": {"guid": cc.organization}}}
    domain = cc.ok("POST", "/v3/domains", {"name": "private.test", "relationships": relationships})["guid"]
    route = cc.ok("POST", "/v3/routes", cc.route_body(domain, host="a"))["guid"]
    foreign = cc.new_space("far", cc.new_organization("far"))
    text = f"to space '{foreign}'. Target space does not have access to route's domain"
    assert cc.detail(*move(route, foreign)) == f"Unable to transfer owner of route 'a.private.test' {text}"
    path = f"/v3/routes/{route}/relationships/shared_spaces"
    refused = f"with space '{foreign}'. Target space does not have access to route's domain"
    assert cc.detail("POST", path, {"data": [{"guid": foreign}]}) == f"Unable to share route 'a.private.test' {refused}"


def test_both_spaces_have_to_be_ones_own(cc: Any, other: str) -> None:
    route = cc.route()
    cc.person("dora")
    cc.grant("dora", "space_developer", other)
    with cc.being("dora"):
        assert cc("GET", f"/v3/routes/{route}").status_code == 404
    share(cc, route, other)
    with cc.being("dora"):
        assert [each["guid"] for each in cc.ok("GET", "/v3/routes")["resources"]] == [route]
        assert cc(*move(route, other)).status_code == 403
        own = cc.ok("POST", "/v3/routes", cc.route_body(host="own", space=other))["guid"]
        assert cc.detail(*move(own, cc.ok("GET", "/v3/spaces")["resources"][0]["guid"] + "x")).endswith("have access to it.")
    cc.grant("dora", "space_auditor", cc.space)
    with cc.being("dora"):
        body = {"data": [{"guid": cc.ok("GET", "/v3/spaces?names=dev")["resources"][0]["guid"]}]}
        text = cc.detail("POST", f"/v3/routes/{own}/relationships/shared_spaces", body)
        assert "Write permission is required in order to share a route with a space" in text
        assert "You don't have write permission" in cc.detail(*move(own, body["data"][0]["guid"]))
