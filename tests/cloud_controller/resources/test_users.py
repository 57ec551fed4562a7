"""/v3/users and /v3/roles"""

from typing import Any

import pytest

from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES
from cfroute.cloud_controller.uaa.names import Name

from ..conftest import role_body

NOT_IN_ORGANIZATION = "Users cannot be assigned roles in a space if they do not have a role in that space's organization."
FORBIDDEN = "You are not authorized to perform the requested action"


def by_name(kind: str, place: str, **user: Any) -> dict[str, Any]:
    body = role_body(kind, "", place)
    body["relationships"]["user"] = {"data": user}
    return body


def test_a_user_is_made_known_and_forgotten(cc: Any) -> None:
    bob = cc.person("bob")
    made = cc("POST", "/v3/users", {"guid": bob})
    assert made.status_code == 201
    user = made.json()
    assert {key: user[key] for key in ("guid", "username", "presentation_name", "origin", "metadata")} == {
        "guid": bob,
        "username": "bob",
        "presentation_name": "bob",
        "origin": "uaa",
        "metadata": {"labels": {}, "annotations": {}},
    }
    assert user["links"]["self"]["href"].endswith(f"/v3/users/{bob}")
    assert cc.ok("GET", f"/v3/users/{bob}") == user
    assert cc.detail("POST", "/v3/users", {"guid": bob}) == f"User with guid '{bob}' already exists."
    labelled = cc.ok("PATCH", f"/v3/users/{bob}", {"metadata": {"labels": {"team": "a"}}})
    assert labelled["metadata"]["labels"] == {"team": "a"}
    gone = cc("DELETE", f"/v3/users/{bob}")
    assert gone.status_code == 202
    assert cc.ok("GET", gone.headers["location"])["operation"] == "user.delete"
    assert cc.detail("GET", f"/v3/users/{bob}", status=404) == "User not found"


def test_a_user_by_name_and_a_client(cc: Any) -> None:
    bob = cc.person("bob", "ldap")
    assert cc.ok("POST", "/v3/users", {"username": "bob", "origin": "ldap"})["guid"] == bob
    refused = cc.detail("POST", "/v3/users", {"username": "bob", "origin": "uaa"})
    assert refused == "No user exists with the username 'bob' and origin 'uaa'."
    client = cc.ok("POST", "/v3/users", {"guid": "tool"})
    assert (client["username"], client["presentation_name"], client["origin"]) == (None, "tool", None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "Guid must be a string"),
        ({"guid": ""}, "Guid must be between 1 and 200 characters"),
        ({"guid": "g", "username": "u"}, "Username cannot be provided with guid"),
        ({"username": "u"}, "Origin must be a string"),
        ({"guid": "g", "x": 1}, "Unknown field(s): 'x'"),
    ],
)
def test_what_is_no_user(cc: Any, body: dict[str, Any], problem: str) -> None:
    assert cc.detail("POST", "/v3/users", body) == problem


def test_users_by_name(cc: Any) -> None:
    guids = [cc.ok("POST", "/v3/users", {"guid": cc.person(name)})["guid"] for name in ("bob", "eve")]
    assert [each["guid"] for each in cc.ok("GET", "/v3/users")["resources"]] == guids
    found = cc.ok("GET", "/v3/users?usernames=BOB,nobody&origins=uaa")["resources"]
    assert [each["username"] for each in found] == ["bob"]
    assert cc.ok("GET", "/v3/users?usernames=bob&origins=ldap")["resources"] == []
    assert "Origins filter" in cc.detail("GET", "/v3/users?origins=uaa", status=400)


def test_only_admins_manage_users(cc: Any) -> None:
    bob = cc.person("bob")
    cc.grant("bob", "organization_manager", cc.organization)
    with cc.being("bob"):
        assert cc.detail("POST", "/v3/users", {"guid": "x"}, status=403) == FORBIDDEN
        assert cc.detail("PATCH", f"/v3/users/{bob}", {}, status=403) == FORBIDDEN
        assert cc.detail("DELETE", f"/v3/users/{bob}", status=403) == FORBIDDEN


def test_roles_of_all_kinds(cc: Any) -> None:
    bob = cc.person("bob")
    for kind in (*ORGANIZATION_ROLES, *SPACE_ROLES):
        place = cc.space if kind in SPACE_ROLES else cc.organization
        made = cc("POST", "/v3/roles", role_body(kind, "bob", place))
        assert made.status_code == 201
        role = made.json()
        assert role["type"] == kind
        at = "space" if kind in SPACE_ROLES else "organization"
        other = "organization" if at == "space" else "space"
        assert role["relationships"] == {
            "user": {"data": {"guid": bob}},
            at: {"data": {"guid": place}},
            other: {"data": None},
        }
        assert cc.ok("GET", f"/v3/roles/{role['guid']}") == role
        name = "space 'dev'" if at == "space" else "organization 'local'"
        assert cc.detail("POST", "/v3/roles", role_body(kind, "bob", place)) == f"User 'bob' already has '{kind}' role in {name}."
    listed = cc.ok("GET", f"/v3/roles?include=user,organization,space&user_guids={bob}")
    assert [role["type"] for role in listed["resources"]] == [*ORGANIZATION_ROLES, *SPACE_ROLES]
    assert [user["username"] for user in listed["included"]["users"]] == ["bob"]
    assert [each["name"] for each in listed["included"]["organizations"]] == ["local"]
    assert [each["name"] for each in listed["included"]["spaces"]] == ["dev"]
    in_space = cc.ok("GET", f"/v3/roles?space_guids={cc.space}&types=space_developer,space_auditor")["resources"]
    assert [role["type"] for role in in_space] == ["space_auditor", "space_developer"]
    assert len(cc.ok("GET", f"/v3/roles?organization_guids={cc.organization}")["resources"]) == 4


def test_roles_by_name(cc: Any) -> None:
    cc.person("bob")
    body = by_name("organization_user", cc.organization, username="bob", origin="uaa")
    assert cc.ok("POST", "/v3/roles", body)["relationships"]["user"]["data"]["guid"] == "guid-of-bob"
    nobody = by_name("organization_user", cc.organization, username="x")
    assert cc.detail("POST", "/v3/roles", nobody) == "No user exists with the username 'x'."
    elsewhere = by_name("organization_user", cc.organization, username="bob", origin="ldap")
    assert cc.detail("POST", "/v3/roles", elsewhere) == "No user exists with the username 'bob' and origin 'ldap'."
    assert cc.detail("POST", "/v3/roles", by_name("space_developer", cc.space, username="x")) == NOT_IN_ORGANIZATION
    cc.names.people.append(Name("second", "bob", "ldap"))
    two = by_name("space_developer", cc.space, username="bob")
    assert cc.detail("POST", "/v3/roles", two) == (
        "Ambiguous user. User with username 'bob' exists in the following origins: ldap, uaa. Specify an origin to disambiguate."
    )
    cc.ok("PATCH", "/v3/feature_flags/set_roles_by_username", {"enabled": False})
    assert cc.detail("POST", "/v3/roles", two, status=403) == "Feature Disabled: set_roles_by_username"


def test_a_role_in_a_space_needs_one_in_the_organization_and_outlives_it_not(cc: Any) -> None:
    cc.person("bob")
    developer = role_body("space_developer", "bob", cc.space)
    assert cc.detail("POST", "/v3/roles", developer) == NOT_IN_ORGANIZATION
    member = cc.ok("POST", "/v3/roles", role_body("organization_user", "bob", cc.organization))["guid"]
    role = cc.ok("POST", "/v3/roles", developer)["guid"]
    assert cc.detail("DELETE", f"/v3/roles/{member}") == (
        "Cannot delete organization_user role while user has roles in spaces in that organization."
    )
    gone = cc("DELETE", f"/v3/roles/{role}")
    assert gone.status_code == 202
    assert cc.ok("GET", gone.headers["location"])["operation"] == "role.delete"
    assert cc("DELETE", f"/v3/roles/{member}").status_code == 202
    assert cc.detail("DELETE", f"/v3/roles/{member}", status=404) == "Role not found"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"type": "king"}, 'Type must be one of the allowed types ["organization_auditor", "organization_billing_manager",'),
        ({"relationships": 1}, "Relationships 'relationships' is not an object"),
        ({"relationships": {}}, "Relationships User must have a username or guid specified"),
        ({"x": 1}, "Unknown field(s): 'x'"),
    ],
)
def test_what_is_no_role(cc: Any, change: dict[str, Any], problem: str) -> None:
    body = {**role_body("organization_user", "bob", cc.organization), **change}
    assert cc.detail("POST", "/v3/roles", body).startswith(problem)


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ({"guid": "g", "username": "u"}, "Relationships Username cannot be specified when identifying user by guid"),
        ({"guid": "g", "origin": "u"}, "Relationships User origin cannot be specified when identifying user by guid"),
        ({"origin": "u"}, "Relationships User origin cannot be specified without specifying the username"),
        ({"username": 1}, "Relationships Username must be a string"),
    ],
)
def test_whose_role_it_is_to_be(cc: Any, user: dict[str, Any], problem: str) -> None:
    assert cc.detail("POST", "/v3/roles", by_name("organization_user", cc.organization, **user)).startswith(problem)


def test_where_a_role_is_to_be(cc: Any) -> None:
    wrong = role_body("organization_user", "bob", cc.organization)
    wrong["relationships"]["space"] = wrong["relationships"].pop("organization")
    assert "cannot be provided with the organization role type: 'organization_user'" in cc.detail("POST", "/v3/roles", wrong)
    wrong["relationships"].pop("space")
    assert "must specify either a space or an organization." in cc.detail("POST", "/v3/roles", wrong)
    for kind, word in (("space_developer", "space"), ("organization_user", "organization")):
        nowhere = cc.detail("POST", "/v3/roles", role_body(kind, "bob", "nowhere"))
        assert nowhere == f"Invalid {word}. Ensure that the {word} exists and you have access to it."


def test_managers_give_roles_in_their_places(cc: Any) -> None:
    for name in ("manager", "space-manager", "developer", "bob"):
        cc.person(name)
    space, organization = cc.space, cc.organization
    cc.grant("manager", "organization_manager", organization)
    cc.grant("space-manager", "space_manager", space)
    cc.grant("developer", "space_developer", space)
    with cc.being("developer"):
        assert cc.detail("POST", "/v3/roles", role_body("space_auditor", "developer", space), status=403) == FORBIDDEN
    with cc.being("space-manager"):
        assert cc.detail("POST", "/v3/roles", role_body("organization_user", "bob", organization), status=403) == FORBIDDEN
        cc.ok("POST", "/v3/roles", role_body("space_auditor", "developer", space))
    with cc.being("manager"):
        cc.ok("POST", "/v3/roles", role_body("organization_user", "bob", organization))
        role = cc.ok("POST", "/v3/roles", role_body("space_auditor", "bob", space))["guid"]
        assert cc("DELETE", f"/v3/roles/{role}").status_code == 202


def test_members_of_organizations_and_spaces(cc: Any) -> None:
    for name in ("bob", "eve"):
        cc.person(name)
    cc.grant("bob", "organization_auditor", cc.organization)
    cc.grant("eve", "space_developer", cc.space)
    names = [each["username"] for each in cc.ok("GET", f"/v3/organizations/{cc.organization}/users")["resources"]]
    assert names == ["bob", "eve"]
    assert [each["username"] for each in cc.ok("GET", f"/v3/spaces/{cc.space}/users")["resources"]] == ["eve"]


def test_without_a_uaa_nobody_has_a_name(cc: Any) -> None:
    cc.ok("POST", "/v3/users", {"guid": cc.person("bob")})
    cc.names.away = True
    assert cc.detail("GET", "/v3/users", status=503) == "The UAA service is currently unavailable"
    assert cc("GET", "/v3/roles?include=user").status_code == 200
    assert cc("POST", "/v3/roles", role_body("organization_user", "bob", cc.organization)).status_code == 503
