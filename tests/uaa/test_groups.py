import pytest

from .conftest import Uaa


@pytest.mark.statement("UAA 3", "a user's token holds the scopes of the groups that the user is in")
def test_a_member_of_a_group_may_have_its_scope(uaa: Uaa) -> None:
    admin = uaa.token()
    found = uaa("GET", "/Groups", token=admin, params={"filter": 'displayName eq "scim.read"'}).json()["resources"]
    path = f"/Groups/{found[0]['id']}/members"
    assert uaa("POST", path, token=admin, json={"origin": "uaa", "type": "USER", "value": "user-1"}).status_code == 201
    assert "scim.read" in uaa.login("dev", "pw2").json()["scope"].split()
    assert uaa("POST", path, token=admin, json={"value": "user-1"}).status_code == 409
    members = [each["value"] for each in uaa("GET", path, token=admin).json()]
    assert members == ["user-0", "user-1"]
    assert uaa("DELETE", f"{path}/user-1", token=admin).json()["value"] == "user-1"
    assert uaa("DELETE", f"{path}/user-1", token=admin).status_code == 404
    assert "scim.read" not in uaa.login("dev", "pw2").json()["scope"].split()


def test_groups_come_and_go(uaa: Uaa) -> None:
    admin = uaa.token()
    body = {"displayName": "routing.router_groups.write", "members": [{"value": "user-1"}]}
    made = uaa("POST", "/Groups", token=admin, json=body)
    assert made.status_code == 201
    assert made.json()["members"] == [{"origin": "uaa", "type": "USER", "value": "user-1"}]
    assert uaa("POST", "/Groups", token=admin, json=body).status_code == 409
    path = f"/Groups/{made.json()['id']}"
    assert uaa("GET", path, token=admin).json() == made.json()
    assert uaa("DELETE", path, token=admin).json() == made.json()
    assert uaa("GET", path, token=admin).json()["error"] == "scim_resource_not_found"


def test_what_is_no_group_and_no_member(uaa: Uaa) -> None:
    admin = uaa.token()
    for body in ({}, {"displayName": 1}, {"displayName": "x", "members": [{"value": "nobody"}]}):
        assert uaa("POST", "/Groups", token=admin, json=body).json()["error"] == "invalid_scim_resource"
    assert uaa("POST", "/Groups/group-0/members", token=admin, json={"value": "nobody"}).status_code == 400
