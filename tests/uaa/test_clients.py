from typing import Any

import pytest

from .conftest import Uaa, basic

NEW = {
    "client_id": "tool",
    "client_secret": "s3cret",
    "authorities": ["scim.read"],
    "scope": ["openid"],
    "authorized_grant_types": ["client_credentials"],
    "access_token_validity": 100,
    "name": "something that we do not keep",
}


def token_of(uaa: Uaa, secret: str) -> Any:
    return uaa("POST", "/oauth/token", headers=basic("tool", secret), data={"grant_type": "client_credentials"})


@pytest.mark.statement("UAA 4", "`cf set-space-role --client`: `GET /oauth/clients/ID`, without the secret")
def test_a_client_is_shown_without_its_secret(uaa: Uaa) -> None:
    body = uaa("GET", "/oauth/clients/gorouter", token=uaa.token()).json()
    assert body == {
        "client_id": "gorouter",
        "scope": [],
        "resource_ids": ["none"],
        "authorities": ["routing.routes.read"],
        "authorized_grant_types": ["client_credentials"],
        "autoapprove": [],
    }
    missing = uaa("GET", "/oauth/clients/none", token=uaa.token())
    assert missing.status_code == 404
    assert missing.json()["error_description"] == "No client with requested id: none"
    found = uaa("GET", "/oauth/clients", token=uaa.token(), params={"filter": 'client_id sw "g"'}).json()
    assert [each["client_id"] for each in found["resources"]] == ["gorouter"]


def test_clients_come_change_and_go(uaa: Uaa) -> None:
    admin = uaa.client_token("admin", "a")
    made = uaa("POST", "/oauth/clients", token=admin, json=NEW)
    assert made.status_code == 201
    assert "client_secret" not in made.json()
    assert token_of(uaa, "s3cret").json()["expires_in"] == 99
    assert uaa("POST", "/oauth/clients", token=admin, json=NEW).status_code == 409
    changed = uaa("PUT", "/oauth/clients/tool", token=admin, json={**NEW, "authorities": ["clients.read"]})
    assert changed.json()["authorities"] == ["clients.read"]
    assert token_of(uaa, "s3cret").json()["scope"] == "clients.read"
    assert uaa("PUT", "/oauth/clients/tool/secret", token=admin, json={"secret": "other"}).status_code == 200
    assert [token_of(uaa, secret).status_code for secret in ("s3cret", "other")] == [401, 200]
    last = token_of(uaa, "other").json()["access_token"]
    assert uaa("DELETE", "/oauth/clients/tool", token=admin).json()["client_id"] == "tool"
    assert token_of(uaa, "other").status_code == 401
    assert uaa("GET", "/oauth/clients", token=last).json()["error"] == "invalid_token"


@pytest.mark.parametrize(
    "body", [{}, {"client_id": "x"}, {**NEW, "scope": "openid"}, {**NEW, "client_id": 1}, {**NEW, "authorized_grant_types": []}]
)
def test_what_is_no_client(uaa: Uaa, body: dict[str, Any]) -> None:
    answer = uaa("POST", "/oauth/clients", token=uaa.client_token("admin", "a"), json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
