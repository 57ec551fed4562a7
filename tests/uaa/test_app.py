"""The endpoints that need no credentials."""

from collections.abc import Callable

import httpx
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Call = Callable[..., httpx.Response]


def test_token_key_is_a_pkix_public_key(call: Call) -> None:
    key = call("GET", "/token_key").json()
    assert {name: key[name] for name in ("kty", "alg", "use", "kid", "e")} == {
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": "k1",
        "e": "AQAB",
    }
    assert key["value"].startswith("-----BEGIN PUBLIC KEY-----\n")
    load_pem_public_key(key["value"].encode())
    assert call("GET", "/token_keys").json() == {"keys": [key]}


def test_discovery_names_the_issuer_of_the_tokens(call: Call) -> None:
    body = call("GET", "/.well-known/openid-configuration").json()
    assert body["issuer"] == "https://uaa.cf.localhost/oauth/token"
    assert body["jwks_uri"] == "https://uaa.cf.localhost/token_keys"


def test_login_lists_the_prompts(call: Call) -> None:
    body = call("GET", "/login", headers={"Accept": "application/json"}).json()
    assert body["prompts"]["username"] == ["text", "Email"]
    assert body["prompts"]["password"] == ["password", "Password"]
    assert body["prompts"]["passcode"][0] == "password"
    assert body["app"]["version"]
    assert body["links"]["login"] == "https://login.test"


def test_health_and_unknown_addresses(call: Call) -> None:
    assert call("GET", "/healthz").status_code == 200
    assert call("GET", "/nothing").status_code == 404
    assert call("GET", "/oauth/token").json()["error"] == "method_not_allowed"
