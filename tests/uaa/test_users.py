"""`/Users`, as the cf CLI and the Cloud Controller use it."""

from typing import Any

import pytest

from .conftest import Uaa, new_user


@pytest.mark.statement("UAA 4", "`cf create-user`: looks the user up, posts, and gets 201 with the id")
def test_create_user(uaa: Uaa) -> None:
    admin = uaa.token()
    wanted = {"filter": 'userName eq "bob" and origin eq "uaa"'}
    assert uaa("GET", "/Users", token=admin, params=wanted).json()["resources"] == []
    answer = uaa("POST", "/Users", token=admin, json=new_user("bob"))
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"0"'
    bob = answer.json()
    assert "password" not in bob
    assert {key: bob[key] for key in ("userName", "origin", "active", "verified", "schemas")} == {
        "userName": "bob",
        "origin": "uaa",
        "active": True,
        "verified": True,
        "schemas": ["urn:scim:schemas:core:1.0"],
    }
    assert bob["name"] == {"familyName": "bob", "givenName": "bob"}
    assert bob["emails"] == [{"value": "bob", "primary": True}]
    assert [group["display"] for group in bob["groups"]] == ["openid", "password.write"]
    assert bob["meta"]["created"] == bob["meta"]["lastModified"] == "2023-11-14T22:13:20.000Z"
    found = uaa("GET", "/Users", token=admin, params=wanted).json()
    assert found["resources"] == [bob]
    assert (found["totalResults"], found["startIndex"], found["itemsPerPage"]) == (1, 1, 100)
    assert uaa("GET", f"/Users/{bob['id']}", token=admin).json() == bob
    assert uaa.login("bob", "s3cret").json()["scope"] == "openid password.write"


@pytest.mark.statement("UAA 4", "a user that exists is 409 `scim_resource_already_exists`")
def test_names_are_taken_in_any_case_but_once_an_origin(uaa: Uaa) -> None:
    guid = uaa.user("bob")
    answer = uaa("POST", "/Users", token=uaa.token(), json=new_user("BOB"))
    assert answer.status_code == 409
    assert answer.json() == {
        "error": "scim_resource_already_exists",
        "error_description": "Username already in use: BOB",
        "message": "Username already in use: BOB",
        "user_id": guid,
    }
    assert uaa("POST", "/Users", token=uaa.token(), json=new_user("bob", origin="ldap")).status_code == 201
    assert uaa.login("bob", "s3cret").status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "A username must be provided."),
        ({"userName": "a b"}, r"Username must match pattern: [\w+\-.@'!]+"),
        ({"userName": 1}, "userName must be a text"),
        ({"userName": "bob"}, "Exactly one email must be provided."),
        ({"userName": "bob", "emails": [{"value": ""}]}, "An email must be provided."),
    ],
)
def test_what_is_no_user(uaa: Uaa, body: dict[str, Any], message: str) -> None:
    answer = uaa("POST", "/Users", token=uaa.token(), json=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_scim_resource", "error_description": message, "message": message}


def test_users_need_a_password_of_some_length(uaa: Uaa) -> None:
    for password in ("", "x" * 256):
        answer = uaa("POST", "/Users", token=uaa.token(), json=new_user(password=password))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_password")
    for content in (b"[]", b'{"a":' + b"[" * 60_000):
        assert uaa("POST", "/Users", token=uaa.token(), content=content).json()["error"] == "invalid_request"


@pytest.mark.statement("UAA 4", "`cf delete-user`: 200 with the user that was")
def test_delete_user(uaa: Uaa) -> None:
    guid, admin = uaa.user("bob"), uaa.token()
    bobs = uaa.token("bob", "s3cret")
    assert uaa("DELETE", f"/Users/{guid}", token=admin).json()["id"] == guid
    assert uaa.login("bob", "s3cret").status_code == 401
    assert uaa("GET", f"/Users/{guid}", token=bobs).json()["error"] == "invalid_token"
    gone = uaa("DELETE", f"/Users/{guid}", token=admin)
    assert (gone.status_code, gone.json()["error"]) == (404, "scim_resource_not_found")
    assert gone.json()["message"] == f"User {guid} does not exist"


def test_update_needs_the_version_that_was_read(uaa: Uaa) -> None:
    guid, admin = uaa.user("bob"), uaa.token()
    changed = new_user("robert", emails=[{"value": "r@test.org"}])
    assert uaa("PUT", f"/Users/{guid}", token=admin, json=changed).status_code == 400
    assert uaa("PUT", f"/Users/{guid}", token=admin, json=changed, headers={"If-Match": "7"}).status_code == 409
    answer = uaa("PUT", f"/Users/{guid}", token=admin, json=changed, headers={"If-Match": '"0"'})
    assert (answer.json()["userName"], answer.json()["meta"]["version"]) == ("robert", 1)
    assert uaa.login("robert", "s3cret").status_code == 200
    taken = uaa("PUT", f"/Users/{guid}", token=admin, json=new_user("dev"), headers={"If-Match": "*"})
    assert taken.status_code == 409


def test_who_is_not_active_gets_no_tokens_and_uses_none(uaa: Uaa) -> None:
    guid, admin = uaa.user("bob"), uaa.token()
    token = uaa.token("bob", "s3cret")
    uaa("PUT", f"/Users/{guid}", token=admin, json=new_user(active=False), headers={"If-Match": "*"})
    assert uaa.login("bob", "s3cret").status_code == 401
    assert uaa("GET", f"/Users/{guid}", token=token).status_code == 401


@pytest.mark.statement("UAA 4", "`cf passwd`: with the old password, which counts as a login")
def test_change_password(uaa: Uaa) -> None:
    guid = uaa.user("bob", "old")
    token = uaa.token("bob", "old")
    path = f"/Users/{guid}/password"
    wrong = uaa("PUT", path, token=token, json={"oldPassword": "x", "password": "new"})
    assert (wrong.status_code, wrong.json()["error_description"]) == (401, "Bad credentials")
    same = uaa("PUT", path, token=token, json={"oldPassword": "old", "password": "old"})
    assert (same.status_code, same.json()["error"]) == (422, "invalid_password")
    assert uaa("PUT", path, token=token, json={"oldPassword": "old"}).status_code == 400
    assert uaa("PUT", path, token=token, json={"password": "new"}).status_code == 400
    good = uaa("PUT", path, token=token, json={"oldPassword": "old", "password": "new"})
    assert good.json() == {"status": "ok", "message": "password updated"}
    assert uaa.login("bob", "old").status_code == 401
    assert uaa.login("bob", "new").status_code == 200


def test_others_passwords_are_for_the_admin_client(uaa: Uaa) -> None:
    path, body = f"/Users/{uaa.user('bob')}/password", {"password": "new"}
    for token in (uaa.token(), uaa.token("dev", "pw2")):
        refused = uaa("PUT", path, token=token, json=body)
        assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")
    assert uaa("PUT", path, token=uaa.client_token("admin", "a"), json=body).status_code == 200
    assert uaa.login("bob", "new").status_code == 200


def test_pages_and_attributes(uaa: Uaa) -> None:
    for number in range(5):
        uaa.user(f"user{number}")
    query = {"filter": 'userName sw "user"', "startIndex": "2", "count": "2", "attributes": "userName,id"}
    body = uaa("GET", "/Users", token=uaa.token(), params=query).json()
    assert [each["userName"] for each in body["resources"]] == ["user1", "user2"]
    assert body["resources"][0].keys() == {"id", "userName"}
    assert body["totalResults"] == 5
    odd = uaa("GET", "/Users", token=uaa.token(), params={"startIndex": "-1", "count": "x"}).json()
    assert (odd["startIndex"], len(odd["resources"])) == (1, 7)
    refused = uaa("GET", "/Users", token=uaa.token(), params={"filter": "userName"})
    assert (refused.status_code, refused.json()["error"]) == (400, "scim")


def test_names_and_ids_for_those_who_may_see_nothing_else(uaa: Uaa) -> None:
    token = uaa.client_token("resource", "r")
    found = uaa("GET", "/ids/Users", token=token, params={"filter": 'userName eq "dev" or id eq "user-0"'}).json()
    assert found["resources"] == [
        {"id": "user-0", "userName": "admin", "origin": "uaa"},
        {"id": "user-1", "userName": "dev", "origin": "uaa"},
    ]
    for text in ("", "id pr", 'userName co "d"', 'emails eq "x"', 'origin eq "uaa"'):
        assert uaa("GET", "/ids/Users", token=token, params={"filter": text}).status_code == 400
    assert uaa("GET", "/Users", token=token).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("GET", "/Users", "uaa.admin scim.read"),
        ("POST", "/Users", "uaa.admin scim.write scim.create"),
        ("GET", "/Users/user-0", "uaa.admin scim.read"),
        ("PUT", "/Users/user-0", "uaa.admin scim.write"),
        ("DELETE", "/Users/user-0", "uaa.admin scim.write"),
        ("PUT", "/Users/user-0/password", "uaa.admin password.write"),
        ("GET", "/ids/Users", "uaa.admin scim.userids scim.read"),
        ("GET", "/Groups", "uaa.admin scim.read"),
        ("POST", "/Groups", "uaa.admin scim.write"),
        ("GET", "/Groups/group-0", "uaa.admin scim.read"),
        ("DELETE", "/Groups/group-0", "uaa.admin scim.write"),
        ("GET", "/Groups/group-0/members", "uaa.admin scim.read"),
        ("POST", "/Groups/group-0/members", "uaa.admin scim.write groups.update"),
        ("DELETE", "/Groups/group-0/members/user-0", "uaa.admin scim.write groups.update"),
        ("GET", "/oauth/clients", "uaa.admin clients.read clients.admin"),
        ("POST", "/oauth/clients", "uaa.admin clients.write clients.admin"),
        ("GET", "/oauth/clients/cf", "uaa.admin clients.read clients.admin"),
        ("PUT", "/oauth/clients/cf", "uaa.admin clients.write clients.admin"),
        ("DELETE", "/oauth/clients/cf", "uaa.admin clients.write clients.admin"),
        ("PUT", "/oauth/clients/cf/secret", "uaa.admin clients.secret clients.admin"),
        ("DELETE", "/oauth/token/revoke/id-0", "uaa.admin tokens.revoke"),
        ("GET", "/oauth/token/revoke/user/user-0", "uaa.admin tokens.revoke"),
        ("GET", "/oauth/token/revoke/client/cf", "uaa.admin tokens.revoke"),
    ],
)
@pytest.mark.statement("UAA 4", "every management endpoint refuses missing, forged, expired and insufficient tokens")
def test_tokens_that_do_not_do(uaa: Uaa, method: str, path: str, scopes: str) -> None:
    missing = uaa(method, path)
    assert (missing.status_code, missing.json()["error"]) == (401, "unauthorized")
    header, claims, signature = uaa.token().split(".")
    forged = f"{header}.{claims}.{signature[:-4]}AAAA"
    refresh_token = uaa.login().json()["refresh_token"]
    for bad in (forged, "x", refresh_token, f"{header}.{claims}."):
        refused = uaa(method, path, token=bad)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    weak = uaa.client_token("gorouter", "s:e&c r%t")
    refused = uaa(method, path, token=weak, json={})
    assert refused.status_code == 403
    assert refused.json() == {
        "error": "insufficient_scope",
        "error_description": "Insufficient scope for this resource",
        "scope": scopes,
    }
    strong = uaa.client_token("admin", "a")
    uaa.clock.advance(43_200)
    assert uaa(method, path, token=strong).json()["error"] == "invalid_token"
