"""Tokens that are out: looking at them, and taking them back."""

from typing import Any

import pytest

from .conftest import CF, Uaa, basic

RESOURCE = basic("resource", "r")


def check(uaa: Uaa, token: str, path: str = "/check_token", **form: str) -> Any:
    return uaa("POST", path, headers=RESOURCE, data={"token": token, **form})


def test_check_token_says_what_it_says(uaa: Uaa) -> None:
    token = uaa.token()
    assert check(uaa, token).json() == uaa.keys.claims(token)
    assert check(uaa, token, scopes="openid,scim.read").status_code == 200
    missing = check(uaa, token, scopes="openid,x.y")
    assert missing.json()["error_description"] == "Some requested scopes are missing: x.y"
    bad = check(uaa, "a.b.c")
    assert (bad.status_code, bad.json()["error"]) == (400, "invalid_token")
    assert uaa("POST", "/check_token", headers=RESOURCE).json()["error"] == "invalid_request"
    assert uaa("POST", "/check_token", headers=basic("resource", "x"), data={"token": token}).status_code == 401
    assert uaa("POST", "/check_token", data={"token": token}).status_code == 401
    assert uaa("POST", "/check_token", headers=basic("tcp_router", "generated"), data={"token": token}).status_code == 403


def test_introspection_calls_a_bad_token_inactive(uaa: Uaa) -> None:
    assert check(uaa, uaa.token(), "/introspect").json()["active"] is True
    assert check(uaa, "x", "/introspect").json() == {"active": False}


@pytest.mark.statement("UAA 4", "`cf logout`: a token with `revocable: true` is taken back by its id")
def test_a_revocable_token_is_good_until_it_is_revoked(uaa: Uaa) -> None:
    body = uaa.login("dev", "pw2", revocable="true").json()
    token, path = body["access_token"], f"/oauth/token/revoke/{body['jti']}"
    claims = uaa.keys.claims(token)
    assert claims is not None
    assert claims["revocable"] is True
    assert check(uaa, token).status_code == 200
    assert uaa("DELETE", path, token=uaa.token()).status_code == 403
    assert uaa("DELETE", path, token=token).status_code == 200
    assert check(uaa, token).status_code == 400
    gone = uaa("DELETE", path, token=uaa.client_token("admin", "a"))
    assert (gone.status_code, gone.json()["error_description"]) == (404, "Resource not found")


def test_a_clients_revocable_token(uaa: Uaa) -> None:
    token = uaa.client_token("tcp_router", "generated", revocable="true")
    assert check(uaa, token).json()["revocable"] is True
    uaa.store.tokens.revoke_all(client="tcp_router")
    assert check(uaa, token).status_code == 400


def test_all_refresh_tokens_of_a_user_are_taken_back(uaa: Uaa) -> None:
    body = uaa.login("dev", "pw2").json()
    grant = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    assert uaa("POST", "/oauth/token", headers=CF, data=grant).status_code == 200
    assert uaa("GET", "/oauth/token/revoke/user/user-0", token=body["access_token"]).status_code == 403
    assert uaa("GET", "/oauth/token/revoke/user/nobody", token=uaa.client_token("admin", "a")).status_code == 404
    assert uaa("GET", "/oauth/token/revoke/user/user-1/client/cf", token=body["access_token"]).status_code == 200
    assert uaa("POST", "/oauth/token", headers=CF, data=grant).status_code == 401


def test_what_has_expired_is_forgotten(uaa: Uaa) -> None:
    uaa.login()
    uaa.clock.advance(2_592_000)
    uaa.login()
    assert uaa.store.database.rows("SELECT count(*) FROM tokens") == [(1,)]
