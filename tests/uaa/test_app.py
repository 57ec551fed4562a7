"""The endpoints that need no credentials."""

import sqlite3

import httpx
import joserfc.jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.jwk import KeySet, RSAKey

from .conftest import CF, Uaa


@pytest.mark.statement("UAA 2", "`/token_key` and `/token_keys`: PKIX PEM, modulus and exponent, without credentials")
def test_token_key_is_a_pkix_public_key(uaa: Uaa) -> None:
    key = uaa("GET", "/token_key").json()
    assert {name: key[name] for name in ("kty", "alg", "use", "kid", "e")} == {
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": "k1",
        "e": "AQAB",
    }
    assert key["value"].startswith("-----BEGIN PUBLIC KEY-----\n")
    load_pem_public_key(key["value"].encode())
    assert uaa("GET", "/token_keys").json() == {"keys": [key]}


def test_others_verify_our_tokens_with_either(uaa: Uaa) -> None:
    token = uaa.token()
    pem = RSAKey.import_key(uaa("GET", "/token_key").json()["value"].encode())
    for key in (pem, KeySet.import_key_set(uaa("GET", "/token_keys").json())):
        read = joserfc.jwt.decode(token, key, algorithms=["RS256"])
        assert read.header == {"alg": "RS256", "kid": "k1", "typ": "JWT"}
        assert read.claims["user_name"] == "admin"


@pytest.mark.statement("UAA 2", "`/.well-known/openid-configuration` names the issuer of the tokens")
def test_discovery_names_the_issuer_of_the_tokens(uaa: Uaa) -> None:
    body = uaa("GET", "/.well-known/openid-configuration").json()
    claims = uaa.keys.claims(uaa.token())
    assert claims is not None
    assert body["issuer"] == claims["iss"] == "https://uaa.cf.localhost/oauth/token"
    assert body["jwks_uri"] == "https://uaa.cf.localhost/token_keys"


@pytest.mark.statement("UAA 4", "`cf login`: `/login` has the prompts, and the links by which the client came")
def test_login_lists_the_prompts(uaa: Uaa) -> None:
    body = uaa("GET", "/login", headers={"Accept": "application/json"}).json()
    assert body["app"] == {"version": "77.20.0"}
    assert body["links"] == {"login": "https://login.test", "uaa": "https://login.test"}
    assert body["prompts"] == {
        "username": ["text", "Email"],
        "password": ["password", "Password"],
        "passcode": ["password", "Temporary Authentication Code ( Get one at https://login.test/passcode )"],
    }
    about = uaa("GET", "/info").json()
    assert about["app"] == body["app"]
    assert "passcode" not in about["prompts"]


def test_a_browser_is_sent_to_the_page_that_there_is(uaa: Uaa) -> None:
    answer = uaa("GET", "/login", headers={"Accept": "text/html,application/xhtml+xml"})
    assert (answer.status_code, answer.headers["location"]) == (302, "https://login.test/passcode")


def code_of(page: httpx.Response) -> str:
    return page.text.partition("<h2>")[2].partition("</h2>")[0]


@pytest.mark.statement("UAA 4", "`cf login --sso-passcode`: a code from the page `/passcode` is good for one login")
def test_a_passcode_stands_for_a_password_once(uaa: Uaa) -> None:
    form = uaa("GET", "/passcode")
    assert form.headers["content-type"].startswith("text/html")
    assert '<form method="post"' in form.text
    code = code_of(uaa("POST", "/passcode", data={"username": "dev", "password": "pw2"}))
    grant = {"grant_type": "password", "passcode": code}
    body = uaa("POST", "/oauth/token", headers=CF, data=grant).json()
    assert body["scope"] == "cloud_controller.read openid password.write"
    again = uaa("POST", "/oauth/token", headers=CF, data=grant)
    assert (again.status_code, again.json()["error_description"]) == (401, "Invalid passcode")


def test_a_passcode_expires_and_is_not_kept_in_the_clear(uaa: Uaa) -> None:
    code = code_of(uaa("POST", "/passcode", data={"username": "dev", "password": "pw2"}))
    with sqlite3.connect(uaa.config.database) as connection:
        assert code not in "\n".join(connection.iterdump())
    uaa.clock.advance(300)
    assert uaa("POST", "/oauth/token", headers=CF, data={"grant_type": "password", "passcode": code}).status_code == 401


def test_the_page_refuses_wrong_passwords_and_quotes_what_it_shows(uaa: Uaa) -> None:
    page = uaa("POST", "/passcode", data={"username": "dev", "password": "<script>"})
    assert page.status_code == 401
    assert "Bad credentials" in page.text
    assert "<script>" not in page.text


@pytest.mark.statement("UAA 4", "`cf ssh-code`: a refusal that says that there is no ssh")
def test_ssh_is_refused_in_words(uaa: Uaa) -> None:
    answer = uaa("GET", "/oauth/authorize?client_id=ssh-proxy&response_type=code", token=uaa.token())
    assert answer.status_code == 400
    assert "cf ssh is not supported" in answer.json()["error_description"]


def test_health_and_unknown_addresses(uaa: Uaa) -> None:
    assert uaa("GET", "/healthz").status_code == 200
    assert uaa("HEAD", "/login").status_code == 200
    assert uaa("GET", "/nothing").status_code == 404
    assert uaa("GET", "/oauth/token").json()["error"] == "method_not_allowed"
    assert uaa("PATCH", "/Users").status_code == 405


def test_a_database_that_fails_is_said_so(uaa: Uaa) -> None:
    uaa.store.close()
    answer = uaa.login()
    assert (answer.status_code, answer.json()["error"]) == (503, "server_error")
