"""`POST /oauth/token`, as the Go components and the cf CLI use it."""

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote_plus

import httpx
import pytest

from cfroute.testing import ManualClock
from cfroute.uaa.keys import SigningKey

Call = Callable[..., httpx.Response]
CF = {"Authorization": "Basic Y2Y6"}


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def password(call: Call, name: str = "admin", secret: str = "pw", **extra: str) -> httpx.Response:
    form = {"grant_type": "password", "username": name, "password": secret, **extra}
    return call("POST", "/oauth/token", headers=CF, data=form)


def refresh(call: Call, token: str, **extra: str) -> httpx.Response:
    return call(
        "POST",
        "/oauth/token",
        headers=CF,
        data={"grant_type": "refresh_token", "refresh_token": token, **extra},
    )


def test_password_grant_answers_what_the_cli_reads(call: Call, key: SigningKey, clock: ManualClock) -> None:
    response = password(call)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 1200
    assert body["scope"] == "cloud_controller.read cloud_controller.admin openid"
    claims = key.claims(body["access_token"])
    assert claims == {
        "jti": body["jti"],
        "sub": "user-0",
        "scope": ["cloud_controller.read", "cloud_controller.admin", "openid"],
        "client_id": "cf",
        "cid": "cf",
        "azp": "cf",
        "grant_type": "password",
        "user_id": "user-0",
        "origin": "uaa",
        "user_name": "admin",
        "email": "admin",
        "auth_time": int(clock.now()),
        "iat": int(clock.now()),
        "exp": int(clock.now()) + 1200,
        "iss": "https://uaa.cf.localhost/oauth/token",
        "zid": "uaa",
        "aud": ["cf", "cloud_controller", "openid"],
        "revocable": False,
    }


def test_an_ordinary_user_gets_the_intersection_of_groups_and_scopes(call: Call) -> None:
    assert password(call, "DEV", "pw2").json()["scope"] == "cloud_controller.read openid"


def test_fewer_scopes_may_be_asked_for(call: Call) -> None:
    assert password(call, scope="openid").json()["scope"] == "openid"
    refused = password(call, scope="doppler.firehose")
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_scope"


@pytest.mark.parametrize(("name", "secret"), [("admin", "no"), ("nobody", "pw"), ("admin", ""), ("", "")])
def test_wrong_passwords_and_unknown_users_look_the_same(call: Call, name: str, secret: str) -> None:
    response = password(call, name, secret)
    assert response.status_code == 401
    assert response.json() == {"error": "unauthorized", "error_description": "Bad credentials"}


def test_client_credentials_are_url_encoded_when_the_header_says_so(call: Call, key: SigningKey) -> None:
    secret = "s:e&c r%t"
    headers = basic("gorouter", quote_plus(secret)) | {"X-CF-ENCODED-CREDENTIALS": "true"}
    form = {"grant_type": "client_credentials", "token_format": "jwt"}
    body = call("POST", "/oauth/token", headers=headers, data=form).json()
    claims = key.claims(body["access_token"])
    assert claims is not None
    assert claims["scope"] == claims["authorities"] == ["routing.routes.read"]
    assert claims["aud"] == ["gorouter", "routing.routes"]
    assert "user_name" not in claims
    assert "refresh_token" not in body
    raw = call("POST", "/oauth/token", headers=basic("gorouter", secret), data=form)
    assert raw.status_code == 200


def test_client_credentials_may_come_in_the_body(call: Call) -> None:
    form = {"grant_type": "client_credentials", "client_id": "gorouter", "client_secret": "s:e&c r%t"}
    assert call("POST", "/oauth/token", data=form).status_code == 200
    assert call("POST", "/oauth/token", data=form | {"client_secret": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "form", "status", "error"),
    [
        (CF, {}, 400, "invalid_request"),
        (CF, {"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        (CF, {"grant_type": "client_credentials"}, 401, "unauthorized_client"),
        ({}, {"grant_type": "password"}, 401, "unauthorized"),
        ({"Authorization": "Basic !!!"}, {"grant_type": "password"}, 401, "unauthorized"),
        ({"Authorization": "Basic Y2Y="}, {"grant_type": "password"}, 401, "unauthorized"),
        (basic("nobody", ""), {"grant_type": "password"}, 401, "unauthorized"),
        (CF, {"grant_type": "password", "passcode": "x"}, 401, "unauthorized"),
        (CF, {"grant_type": "refresh_token", "refresh_token": "a.b.c"}, 401, "invalid_token"),
        (CF, {"grant_type": "refresh_token"}, 401, "invalid_token"),
    ],
)
def test_errors(call: Call, headers: dict[str, str], form: dict[str, str], status: int, error: str) -> None:
    response = call("POST", "/oauth/token", headers=headers, data=form)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_a_form_that_is_no_text_or_endless_is_refused(call: Call) -> None:
    assert call("POST", "/oauth/token", content=b"\xff\xfe").status_code == 400
    assert call("POST", "/oauth/token", content=b"a=" + b"b" * 70_000).status_code == 413


def test_refresh_gives_new_tokens_until_it_expires(call: Call, clock: ManualClock) -> None:
    first = password(call).json()
    clock.advance(1200)
    second = refresh(call, first["refresh_token"])
    assert second.status_code == 200
    assert second.json()["access_token"] != first["access_token"]
    assert second.json()["scope"] == first["scope"]
    clock.advance(2_592_000)
    expired = refresh(call, second.json()["refresh_token"])
    assert (expired.status_code, expired.json()["error"]) == (401, "invalid_token")


def test_an_access_token_is_no_refresh_token(call: Call) -> None:
    assert refresh(call, password(call).json()["access_token"]).status_code == 401
