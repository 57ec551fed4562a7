"""`POST /oauth/token`, as the Go components and the cf CLI use it."""

from typing import Any
from urllib.parse import quote_plus

import msgspec
import pytest

from .conftest import CF, ISSUER, USER_SCOPES, Uaa, basic

REVOKED = "The token expired, was revoked, or the token ID is incorrect."


def refresh(uaa: Uaa, token: str, **extra: str) -> Any:
    return uaa("POST", "/oauth/token", headers=CF, data={"grant_type": "refresh_token", "refresh_token": token, **extra})


@pytest.mark.statement("UAA 4", "`cf auth`: the password grant with cf's empty secret, and every claim of a user's token")
def test_password_grant_answers_what_the_cli_reads(uaa: Uaa) -> None:
    response = uaa.login()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "scope", "jti"}
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 1199
    assert body["scope"] == " ".join(USER_SCOPES)
    now = int(uaa.clock.now())
    assert uaa.keys.claims(body["access_token"]) == {
        "jti": body["jti"],
        "sub": "user-0",
        "scope": USER_SCOPES,
        "client_id": "cf",
        "cid": "cf",
        "azp": "cf",
        "grant_type": "password",
        "user_id": "user-0",
        "origin": "uaa",
        "user_name": "admin",
        "email": "admin",
        "auth_time": now,
        "iat": now,
        "exp": now + 1200,
        "iss": ISSUER,
        "zid": "uaa",
        "aud": ["cf", "clients", "cloud_controller", "openid", "password", "scim"],
        "revocable": False,
    }


@pytest.mark.statement("UAA 3", "a client's token has its authorities as scopes, in every claim that upstream reads")
def test_a_clients_token(uaa: Uaa) -> None:
    form = {"grant_type": "client_credentials", "token_format": "jwt"}
    body = uaa("POST", "/oauth/token", headers=basic("tcp_router", "generated"), data=form).json()
    scopes = ["routing.routes.read", "routing.router_groups.read"]
    assert {**body, "access_token": ""} == {
        "access_token": "",
        "token_type": "bearer",
        "expires_in": 43199,
        "scope": " ".join(scopes),
        "jti": "id-0",
    }
    now = int(uaa.clock.now())
    assert uaa.keys.claims(body["access_token"]) == {
        "jti": "id-0",
        "sub": "tcp_router",
        "client_id": "tcp_router",
        "cid": "tcp_router",
        "azp": "tcp_router",
        "scope": scopes,
        "authorities": scopes,
        "grant_type": "client_credentials",
        "iat": now,
        "exp": now + 43200,
        "iss": ISSUER,
        "zid": "uaa",
        "aud": ["routing.router_groups", "routing.routes", "tcp_router"],
    }


def test_an_ordinary_user_gets_the_intersection_of_groups_and_scopes(uaa: Uaa) -> None:
    assert uaa.login("DEV", "pw2").json()["scope"] == "cloud_controller.read openid password.write"


def test_fewer_scopes_may_be_asked_for(uaa: Uaa) -> None:
    assert uaa.login(scope="openid").json()["scope"] == "openid"
    assert uaa.login("dev", "pw2", scope="openid cloud_controller.admin").json()["scope"] == "openid"
    refused = uaa.login(scope="doppler.firehose")
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "invalid_scope",
        "error_description": "doppler.firehose is invalid. Please use a valid scope name in the request",
    }
    refused = uaa.login("dev", "pw2", scope="scim.read scim.write")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert refused.json()["error_description"] == (
        "[scim.read, scim.write] is invalid. This user is not allowed any of the requested scopes"
    )


def test_a_client_may_ask_for_fewer_of_its_authorities(uaa: Uaa) -> None:
    form = {"grant_type": "client_credentials", "scope": "routing.routes.read"}
    assert uaa("POST", "/oauth/token", headers=basic("tcp_router", "generated"), data=form).json()["scope"] == form["scope"]
    form["scope"] = "routing.routes.write"
    refused = uaa("POST", "/oauth/token", headers=basic("tcp_router", "generated"), data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


@pytest.mark.statement("UAA 4", "wrong passwords and unknown users get the same 401")
@pytest.mark.parametrize(("name", "secret"), [("admin", "no"), ("nobody", "pw"), ("admin", ""), ("", "")])
def test_wrong_passwords_and_unknown_users_look_the_same(uaa: Uaa, name: str, secret: str) -> None:
    response = uaa.login(name, secret)
    assert response.status_code == 401
    assert response.json() == {"error": "unauthorized", "error_description": "Bad credentials"}
    assert response.headers["www-authenticate"].startswith("Bearer realm=")


@pytest.mark.statement("UAA 2", "client credentials by Basic, url-encoded where `X-CF-ENCODED-CREDENTIALS` says so")
def test_client_credentials_are_url_encoded_when_the_header_says_so(uaa: Uaa) -> None:
    secret = "s:e&c r%t"
    headers = basic("gorouter", quote_plus(secret)) | {"X-CF-ENCODED-CREDENTIALS": "true"}
    form = {"grant_type": "client_credentials", "token_format": "jwt"}
    body = uaa("POST", "/oauth/token", headers=headers, data=form).json()
    assert body["scope"] == "routing.routes.read"
    assert "refresh_token" not in body
    assert uaa("POST", "/oauth/token", headers=basic("gorouter", secret), data=form).status_code == 200
    assert uaa("POST", "/oauth/token", headers=basic("gorouter", quote_plus(secret)), data=form).status_code == 401


@pytest.mark.statement("UAA 4", "`cf auth --client-credentials`: credentials in the body, without Authorization")
def test_client_credentials_may_come_in_the_body(uaa: Uaa) -> None:
    form = {"grant_type": "client_credentials", "client_id": "gorouter", "client_secret": "s:e&c r%t"}
    assert uaa("POST", "/oauth/token", data=form).status_code == 200
    assert uaa("POST", "/oauth/token", data=form | {"client_secret": "x"}).status_code == 401
    in_url = uaa("POST", "/oauth/token", params=form)
    assert in_url.status_code == 401  # addresses end up in logs


@pytest.mark.statement("UAA 2", "errors of the token endpoint: status, word and sentence")
@pytest.mark.parametrize(
    ("headers", "form", "status", "error", "description"),
    [
        (CF, {}, 400, "invalid_request", "Missing grant type"),
        (CF, {"grant_type": "implicit"}, 400, "unsupported_grant_type", "Unsupported grant type: implicit"),
        (CF, {"grant_type": "client_credentials"}, 401, "invalid_client", "Unauthorized grant type: client_credentials"),
        ({}, {"grant_type": "password"}, 401, "unauthorized", "Bad credentials"),
        ({"Authorization": "Basic !!!"}, {"grant_type": "password"}, 401, "unauthorized", "Bad credentials"),
        ({"Authorization": "Basic Y2Y="}, {"grant_type": "password"}, 401, "unauthorized", "Bad credentials"),
        (basic("nobody", ""), {"grant_type": "password"}, 401, "unauthorized", "Bad credentials"),
        (CF, {"grant_type": "password", "passcode": "x"}, 401, "unauthorized", "Invalid passcode"),
        (CF, {"grant_type": "refresh_token", "refresh_token": "a.b.c"}, 401, "invalid_token", REVOKED),
        (CF, {"grant_type": "refresh_token"}, 401, "invalid_token", REVOKED),
    ],
)
def test_errors(uaa: Uaa, headers: dict[str, str], form: dict[str, str], status: int, error: str, description: str) -> None:
    response = uaa("POST", "/oauth/token", headers=headers, data=form)
    assert response.status_code == status
    assert response.json() == {"error": error, "error_description": description}


def test_a_form_that_is_no_text_or_endless_is_refused(uaa: Uaa) -> None:
    assert uaa("POST", "/oauth/token", content=b"\xff\xfe").status_code == 400
    assert uaa("POST", "/oauth/token", content=b"a=" + b"b" * 70_000).status_code == 413
    assert uaa("POST", "/oauth/token", content=b"&".join([b"a=b"] * 10_000)).status_code == 401


@pytest.mark.statement("UAA 4", "the refresh grant: new access tokens until the refresh token expires")
def test_refresh_gives_new_tokens_until_it_expires(uaa: Uaa) -> None:
    first = uaa.login().json()
    uaa.clock.advance(1200)
    second = refresh(uaa, first["refresh_token"])
    assert second.status_code == 200
    assert second.json()["access_token"] != first["access_token"]
    assert second.json()["refresh_token"] == first["refresh_token"]
    assert second.json()["scope"] == first["scope"]
    claims = uaa.keys.claims(second.json()["access_token"])
    assert claims is not None
    assert claims["auth_time"] == claims["iat"] - 1200
    uaa.clock.advance(2_592_000 - 1200)
    expired = refresh(uaa, first["refresh_token"])
    assert expired.status_code == 401
    assert expired.json() == {"error": "invalid_token", "error_description": REVOKED}


def test_refresh_may_narrow_the_scopes_but_never_widen_them(uaa: Uaa) -> None:
    token = uaa.login(scope="openid scim.read").json()["refresh_token"]
    assert refresh(uaa, token, scope="scim.read").json()["scope"] == "scim.read"
    assert refresh(uaa, token).json()["scope"] == "openid scim.read"
    refused = refresh(uaa, token, scope="scim.write")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


def test_who_has_left_a_group_has_its_scope_no_more(uaa: Uaa) -> None:
    token = uaa.login("dev", "pw2").json()["refresh_token"]
    group = uaa.store.groups.named("cloud_controller.read")
    assert group is not None
    uaa.store.groups.remove("user-1", group.guid)
    assert refresh(uaa, token).json()["scope"] == "openid password.write"


def test_a_refresh_token_is_used_once_where_they_rotate(uaa: Uaa) -> None:
    rotating = Uaa(msgspec.structs.replace(uaa.config, rotate_refresh_tokens=True), uaa.store, uaa.keys, uaa.clock)
    first = rotating.login().json()["refresh_token"]
    second = refresh(rotating, first).json()["refresh_token"]
    assert second != first
    assert refresh(rotating, first).status_code == 401
    assert refresh(rotating, second).status_code == 200


def test_an_access_token_is_no_refresh_token_and_another_clients_is_none(uaa: Uaa) -> None:
    assert refresh(uaa, uaa.token()).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": uaa.login().json()["refresh_token"]}
    assert uaa("POST", "/oauth/token", headers=basic("gorouter", "s:e&c r%t"), data=form).status_code == 401


def test_who_is_gone_or_has_another_password_refreshes_nothing(uaa: Uaa) -> None:
    uaa.user("bob")
    tokens = [uaa.login("bob", "s3cret").json()["refresh_token"], uaa.login("dev", "pw2").json()["refresh_token"]]
    found = uaa.store.users.named("bob")
    assert found is not None
    uaa.store.users.delete(found.account.guid)
    uaa.store.users.set_password("user-1", "other", uaa.clock.now())
    assert [refresh(uaa, token).status_code for token in tokens] == [401, 401]


@pytest.mark.statement("UAA 4", "`cf auth --origin`: the only identity provider is `uaa`")
def test_login_hint(uaa: Uaa) -> None:
    form = {"grant_type": "password", "username": "admin", "password": "pw"}
    good = uaa("POST", "/oauth/token", headers=CF, data=form, params={"login_hint": '{"origin":"uaa"}'})
    assert good.status_code == 200
    for hint in ('{"origin":"ldap"}', "ldap", "[]"):
        refused = uaa("POST", "/oauth/token", headers=CF, data=form, params={"login_hint": hint})
        assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized")
