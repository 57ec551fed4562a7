"""Organizations, spaces and domains."""

import dataclasses
from typing import Any

import msgspec
import pytest

TCP = "f7392031-a488-4890-8835-c4a038a3bded"


def test_a_new_foundation_has_an_organization_a_space_and_its_domains(cc: Any) -> None:
    organization = cc.ok("GET", "/v3/organizations")["resources"][0]
    assert organization["name"] == "local"
    assert organization["relationships"]["quota"]["data"]["guid"]
    (space,) = cc.ok("GET", f"/v3/spaces?organization_guids={organization['guid']}&include=organization")["resources"]
    assert space["name"] == "dev"
    assert space["relationships"]["organization"] == {"data": {"guid": organization["guid"]}}
    domains = {each["name"]: each for each in cc.ok("GET", "/v3/domains")["resources"]}
    assert list(domains) == ["cf.localhost", "apps.internal", "tcp.cf.localhost"]
    assert domains["apps.internal"]["internal"] is True
    assert domains["cf.localhost"]["router_group"] is None
    assert domains["cf.localhost"]["supported_protocols"] == ["http"]
    assert domains["tcp.cf.localhost"]["router_group"] == {"guid": TCP}
    assert domains["tcp.cf.localhost"]["supported_protocols"] == ["tcp"]
    default = cc.ok("GET", f"/v3/organizations/{organization['guid']}/domains/default")
    assert default["name"] == "cf.localhost"


def test_the_default_domain_is_the_foundations_present_one(cc: Any) -> None:
    cc.ok("POST", "/v3/domains", {"name": "new.test"})
    config = msgspec.structs.replace(cc.platform.config, domain="New.test")
    moved = dataclasses.replace(cc, platform=dataclasses.replace(cc.platform, config=config))
    path = f"/v3/organizations/{cc.organization}/domains/default"
    assert (cc.ok("GET", path)["name"], moved.ok("GET", path)["name"]) == ("cf.localhost", "new.test")


def test_organizations(cc: Any) -> None:
    guid = cc.new_organization("o")
    assert cc.detail("POST", "/v3/organizations", {"name": "O"}) == "Organization 'O' already exists."
    assert cc.detail("PATCH", f"/v3/organizations/{guid}", {"name": "local"}) == "Organization name 'local' is already taken."
    assert cc.detail("POST", "/v3/organizations", {}) == "Name can't be blank"
    response = cc("DELETE", f"/v3/organizations/{guid}")
    assert response.status_code == 202
    job = cc.ok("GET", response.headers["location"])
    assert (job["operation"], job["state"], job["errors"]) == ("organization.delete", "COMPLETE", [])
    assert cc("GET", f"/v3/organizations/{guid}").status_code == 404


def test_only_admins_create_organizations_unless_the_flag_says_otherwise(cc: Any) -> None:
    admin, cc.scopes = cc.scopes, ["cloud_controller.write", "cloud_controller.read"]
    assert cc.detail("POST", "/v3/organizations", {"name": "o"}, status=403) == "Feature Disabled: user_org_creation"
    cc.scopes = admin
    cc.ok("PATCH", "/v3/feature_flags/user_org_creation", {"enabled": True})
    cc.scopes = ["cloud_controller.write"]
    cc.ok("POST", "/v3/organizations", {"name": "o"})


def test_spaces(cc: Any) -> None:
    guid = cc.new_space("s")
    body = {"name": "S", "relationships": {"organization": {"data": {"guid": cc.organization}}}}
    assert cc.detail("POST", "/v3/spaces", body) == "Name must be unique per organization"
    body["relationships"]["organization"]["data"]["guid"] = cc.new_organization("o")
    cc.ok("POST", "/v3/spaces", body)
    body["relationships"]["organization"]["data"]["guid"] = "nobody"
    assert "Invalid organization" in cc.detail("POST", "/v3/spaces", body)
    assert cc.ok("PATCH", f"/v3/spaces/{guid}/", {"name": "t"})["name"] == "t"
    listed = cc.ok("GET", f"/v3/spaces?guids={guid}&include=organization")
    assert [each["name"] for each in listed["included"]["organizations"]] == ["local"]


def test_apps_of_others_hear_that_a_route_is_gone_with_its_space_or_organization(cc: Any) -> None:
    cc.ok("PATCH", "/v3/feature_flags/route_sharing", {"enabled": True})
    app, space = cc.started(), cc.new_space("s")
    route = cc.route(space=space)
    cc.ok("POST", f"/v3/routes/{route}/relationships/shared_spaces", {"data": [{"guid": cc.space}]})
    cc.map(route, app)
    owner = cc.new_organization("o")
    relationships = {"organization": {"data": {"guid": owner}}, "shared_organizations": {"data": [{"guid": cc.organization}]}}
    domain = cc.ok("POST", "/v3/domains", {"name": "o.test", "relationships": relationships})["guid"]
    cc.map(cc.route(domain=domain), app)
    for path in (f"spaces/{space}", f"organizations/{owner}"):
        cc.diego.pushed.clear()
        assert cc("DELETE", f"/v3/{path}").status_code == 202
        assert cc.diego.pushed == [{app}]
    assert cc.ok("GET", "/v3/routes")["resources"] == []
    events = [each["type"] for each in cc.ok("GET", "/v3/audit_events")["resources"]]
    assert events.count("audit.route.delete-request") == 2


def test_events_say_in_which_organization(cc: Any) -> None:
    organization, app = cc.organization, cc.app()
    cc.ok("PATCH", f"/v3/organizations/{organization}", {"name": "renamed"})
    cc.ok("PATCH", f"/v3/spaces/{cc.space}", {"name": "renamed"})
    found = cc.ok("GET", f"/v3/audit_events?organization_guids={organization}")["resources"]
    assert [each["type"] for each in found] == [f"audit.{each}" for each in ("app.create", "organization.update", "space.update")]
    assert found[0]["target"]["guid"] == app


def test_isolation_segments_can_be_reset_and_not_assigned(cc: Any) -> None:
    organization = f"/v3/organizations/{cc.organization}/relationships/default_isolation_segment"
    space = f"/v3/spaces/{cc.space}/relationships/isolation_segment"
    for path, entitled in ((organization, "the organization."), (space, "the organization that this space belongs to.")):
        assert cc.ok("PATCH", path, {"data": None}) == {"data": None} == cc.ok("GET", path)
        refused = cc.detail("PATCH", path, {"data": {"guid": "g"}})
        assert refused == f"Unable to assign isolation segment with guid 'g'. Ensure it has been entitled to {entitled}"
        assert "must be structured like this" in cc.detail("PATCH", path, {})
    assert cc.detail("GET", "/v3/isolation_segments/g", status=404) == "Isolation segment not found"


def test_deleting_a_space_deletes_what_is_in_it(cc: Any) -> None:
    space = cc.new_space("s")
    app, service = cc.app(space=space), cc.service(space=space)
    route = cc.route(space=space)
    package = cc.package(app)
    bits = cc.platform.blobs.package(package)
    assert bits.exists()
    assert cc("DELETE", f"/v3/spaces/{space}").status_code == 202
    for path in (f"apps/{app}", f"service_instances/{service}", f"routes/{route}", f"packages/{package}"):
        assert cc("GET", f"/v3/{path}").status_code == 404
    assert not bits.exists()
    assert {app} in cc.diego.pushed


def test_constant_answers(cc: Any) -> None:
    for path in (
        f"organizations/{cc.organization}/relationships/default_isolation_segment",
        f"spaces/{cc.space}/relationships/isolation_segment",
    ):
        assert cc.ok("GET", f"/v3/{path}") == {"data": None}
    for path in (
        f"isolation_segments?organization_guids={cc.organization}",
        f"spaces/{cc.space}/running_security_groups",
        "deployments?app_guids=x&order_by=-created_at&page=1&per_page=1&status_values=ACTIVE",
        f"apps/{cc.app()}/sidecars",
    ):
        assert cc.ok("GET", f"/v3/{path}")["resources"] == []
    assert cc.ok("GET", f"/v3/spaces/{cc.space}/features/ssh")["enabled"] is False
    assert cc.ok("GET", "/v3/organization_quotas/default-quota")["name"] == "default"
    assert [each["name"] for each in cc.ok("GET", "/v3/stacks")["resources"]] == ["cflinuxfs4"]
    assert "python_buildpack" in [each["name"] for each in cc.ok("GET", "/v3/buildpacks?order_by=position")["resources"]]
    assert cc.ok("POST", "/v3/resource_matches", {"resources": [{"path": "x"}]}) == {"resources": []}


def owned(organization: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "relationships": {"organization": {"data": {"guid": organization}}, **fields}}


def test_domains(cc: Any) -> None:
    shared = cc.ok("POST", "/v3/domains", {"name": "Shared.Test", "internal": False})
    assert shared["name"] == "shared.test"
    assert shared["relationships"]["organization"] == {"data": None}
    private = cc.ok("POST", "/v3/domains", owned(cc.organization, "private.test"))
    assert private["relationships"]["organization"] == {"data": {"guid": cc.organization}}
    tcp = cc.ok("POST", "/v3/domains", {"name": "t.test", "router_group": {"guid": TCP}})
    assert tcp["supported_protocols"] == ["tcp"]
    names = [each["name"] for each in cc.ok("GET", f"/v3/organizations/{cc.organization}/domains")["resources"]]
    assert "private.test" in names
    other = cc.new_organization("other")
    names = [each["name"] for each in cc.ok("GET", f"/v3/organizations/{other}/domains")["resources"]]
    assert "private.test" not in names
    assert "shared.test" in names


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "CF.localhost"}, 'The domain name "cf.localhost" is already in use'),
        (
            {"name": "x.taken.test"},
            'The domain name "x.taken.test" cannot be created because "taken.test" is already reserved by another domain',
        ),
        (
            {"name": "music.cf.localhost"},
            'The domain name "music.cf.localhost" cannot be created because "music.cf.localhost" is already reserved by a route',
        ),
        ({"name": "g.test", "router_group": {"guid": "g"}}, "Router group with guid 'g' not found."),
        (
            owned("nobody", "n.test"),
            "Organization with guid 'nobody' does not exist or you do not have access to it.",
        ),
    ],
)
def test_domains_that_conflict(cc: Any, body: dict[str, Any], text: str) -> None:
    cc.ok("POST", "/v3/domains", owned(cc.organization, "taken.test"))
    cc.route("music")
    assert cc.detail("POST", "/v3/domains", body) == text


def test_shared_domains_are_for_admins(cc: Any) -> None:
    organization, domain = cc.organization, cc.domain()
    cc.grant("admin", "organization_manager", organization)
    cc.scopes = ["cloud_controller.read", "cloud_controller.write"]
    forbidden = "You are not authorized to perform the requested action"
    assert cc.detail("POST", "/v3/domains", {"name": "a.test"}, status=403) == forbidden
    assert cc.detail("DELETE", f"/v3/domains/{domain}", status=403) == forbidden
    cc.ok("POST", "/v3/domains", owned(organization, "a.test"))


def test_sharing_domains(cc: Any) -> None:
    other = cc.new_organization("other")
    private = cc.ok("POST", "/v3/domains", owned(cc.organization, "p.test"))["guid"]
    path = f"/v3/domains/{private}/relationships/shared_organizations"
    body = {"data": [{"guid": other}]}
    assert cc.ok("POST", path, body) == body
    assert cc.ok("POST", path, body) == body
    assert cc.ok("GET", f"/v3/domains/{private}")["relationships"]["shared_organizations"] == body
    assert cc.detail("POST", path, {"data": [{"guid": cc.organization}]}) == "Domain cannot be shared with owning organization."
    shared = f"/v3/domains/{cc.domain()}/relationships/shared_organizations"
    assert "unless they are scoped" in cc.detail("POST", shared, body)
    assert "Unshare before deleting." in cc.detail("DELETE", f"/v3/domains/{private}")
    route = cc.route(domain=private, space=cc.new_space("s", other))
    assert "Delete the routes before unsharing." in cc.detail("DELETE", f"{path}/{other}")
    cc.ok("DELETE", f"/v3/routes/{route}")
    assert cc("DELETE", f"{path}/{other}").status_code == 204
    assert "Ensure the domain is shared" in cc.detail("DELETE", f"{path}/{other}")
    assert cc.detail("DELETE", f"{path}/nobody", status=404) == "Organization not found"
    assert cc("DELETE", f"/v3/domains/{private}").status_code == 202


def test_deleting_a_domain_deletes_its_routes(cc: Any) -> None:
    domain = cc.ok("POST", "/v3/domains", {"name": "d.test"})["guid"]
    app, route = cc.started(), cc.route(domain=domain)
    cc.map(route, app)
    assert cc.desired(app)[0]["routes"]
    cc.ok("DELETE", f"/v3/domains/{domain}")
    assert cc("GET", f"/v3/routes/{route}").status_code == 404
    assert cc.desired(app)[0]["routes"] == {}
    assert cc.diego.pushed[-1] == {app}


def test_route_reservations(cc: Any) -> None:
    cc.route("music", path="/p")
    path = f"/v3/domains/{cc.domain()}/route_reservations"
    assert cc.ok("GET", f"{path}?host=music&path=/p") == {"matching_route": True}
    assert cc.ok("GET", f"{path}?host=music") == {"matching_route": False}
    assert cc.ok("GET", path) == {"matching_route": False}
    cc.ok("POST", "/v3/routes", cc.route_body(cc.domain("tcp.cf.localhost"), port=1030))
    tcp = f"/v3/domains/{cc.domain('tcp.cf.localhost')}/route_reservations"
    assert cc.ok("GET", f"{tcp}?port=1030") == {"matching_route": True}
    assert cc.ok("GET", f"{tcp}?port=1031") == {"matching_route": False}
