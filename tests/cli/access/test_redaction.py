"""What `--verbose` and `CF_TRACE` may show, and what never."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.access import redaction
from cfroute.cli.access.redaction import HIDDEN

SECRET = "s3cr3t-value"
KEYS = ("access_token", "refresh_token", "password", "client_secret", "DB_PASSWORD", "credentials", "private_key", "passcode")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("key", KEYS)
def test_a_secret_is_hidden_wherever_it_stands(key: str) -> None:
    data = {"list": [{key: SECRET}], key: {"deep": [SECRET]}, "name": "shop"}
    shown = redaction.body(json.dumps(data).encode(), "application/json")
    assert SECRET not in shown
    assert HIDDEN in shown
    assert json.loads(shown)["name"] == "shop"


@given(JSON)
def test_json_that_has_no_secrets_is_shown_whole(data: object) -> None:
    assert json.loads(redaction.body(json.dumps({"x": data}).encode(), "application/json")) == {"x": data}


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Set-Cookie", "X-Auth-Token", "Proxy-Authorization"])
def test_headers(name: str) -> None:
    shown = redaction.head("GET / HTTP/1.1", [(name, SECRET), ("host", "api.test")])
    assert SECRET not in shown
    assert shown.endswith("\nHost: api.test")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://api.test/v3/apps?names=a%2Cb", "/v3/apps?names=a%2Cb"),
        ("http://api.test/oauth?code=x1&state=y", f"/oauth?code={HIDDEN.replace(' ', '+')}&state=y"),
        ("http://api.test", "/"),
    ],
)
def test_urls(url: str, shown: str) -> None:
    assert redaction.target(url).replace(" ", "+").replace("%20", "+") == shown


def test_a_location_with_a_user_and_a_code() -> None:
    shown = redaction.head("HTTP/1.1 302 Found", [("location", f"https://bob:{SECRET}@x.test/?code={SECRET}")])
    assert SECRET not in shown
    assert "x.test" in shown


@pytest.mark.parametrize(
    ("content", "kind", "shown"),
    [
        (b"grant_type=password&password=s3cr3t-value", "application/x-www-form-urlencoded", "CONTENT HIDDEN"),
        (b"s3cr3t-value", "multipart/form-data; boundary=x", "CONTENT HIDDEN"),
        (b"env:\n  API_TOKEN: s3cr3t-value\n  name: shop", "application/x-yaml", "  name: shop"),
        (b"\x00s3cr3t-value", "application/zip", "[13 bytes of application/zip]"),
        (b"it is eyJhbGciOi.eyJzdWIi.c2ln here", "text/plain", f"it is {HIDDEN} here"),
        (b"", "text/plain", ""),
    ],
)
def test_bodies(content: bytes, kind: str, shown: str) -> None:
    text = redaction.body(content, kind)
    assert shown in text
    assert SECRET not in text


def test_links_to_the_servers_of_tokens_are_no_secrets() -> None:
    shown = redaction.body(b'{"token_endpoint": "https://uaa.test/oauth/token"}', "application/json")
    assert "https://uaa.test/oauth/token" in shown
