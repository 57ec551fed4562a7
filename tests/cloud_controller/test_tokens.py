"""Every line of the API refuses whoever has no token, or none that is good: forged, edited, old, early, or for others."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import rsa

from cfroute import certificates, jwt
from cfroute.cloud_controller import app

from .world import World

SECURED = [each for each in app.ENDPOINTS if not each.open]
ADMIN = ["cloud_controller.admin"]
NO_TOKEN, BAD_TOKEN, NOT_ALLOWED = (401, 10002), (401, 1000), (403, 10003)


def encoded(part: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims and signature of a token."""
    header, claims, signature = token.partition(" ")[2].split(".")
    read = [msgspec.json.decode(urlsafe_b64decode(each + "==")) for each in (header, claims)]
    return read[0], read[1], signature


def hashed(text: str, secret: bytes) -> str:
    """An HS256 signature."""
    made = hmac.HMAC(secret, hashes.SHA256())
    made.update(text.encode())
    return urlsafe_b64encode(made.finalize()).rstrip(b"=").decode()


@pytest.fixture
def forged(sign: Callable[..., str], signing_pem: bytes) -> dict[str, str]:
    """Tokens that others have made, or changed."""
    good = sign(ADMIN)
    header, claims, signature = parts(good)
    weak = parts(sign(["cloud_controller.read"]))
    unsigned = f"{encoded(header | {'alg': 'none'})}.{encoded(claims)}"
    symmetric = f"{encoded(header | {'alg': 'HS256'})}.{encoded(claims)}"
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "another key": "bearer " + jwt.sign(claims, stranger),
        "another key, which it names": "bearer " + jwt.sign(claims, stranger, "k2"),
        "no algorithm": f"bearer {unsigned}.",
        "no algorithm, but a signature": f"bearer {unsigned}.{signature}",
        "the public key as a secret": f"bearer {symmetric}.{hashed(symmetric, certificates.public_half(signing_pem))}",
        "edited": f"bearer {encoded(header)}.{encoded(weak[1] | {'scope': ADMIN})}.{weak[2]}",
        "another signature": f"{good[:-4]}AAAA",
        "cut off": good[: len(good) // 2],
        "another scheme": good.replace("bearer", "basic"),
        "no token": "bearer",
        "no three parts": "bearer a.b",
        "nonsense": "bearer \xff\x00.\xff.\xff",
    }


@pytest.fixture
def unfit(cc: Any) -> dict[str, str]:
    """Tokens that the UAA has signed, and that are no good here and now."""
    now = cc.clock.now()
    return {
        "expired": cc.sign(ADMIN, exp=now),
        "too early": cc.sign(ADMIN, nbf=now + 1),
        "for others": cc.sign(ADMIN, aud=["routing", "cf"]),
        "of another UAA": cc.sign(ADMIN, iss="https://elsewhere"),
        "a refresh token": cc.sign(ADMIN, jti="j-r"),
        "without scopes": cc.sign(None),
        "with strange scopes": cc.sign([["cloud_controller.admin"]]),
    }


def test_only_good_tokens_are_taken(world: World, cc: Any, forged: dict[str, str], unfit: dict[str, str]) -> None:
    reader = cc.token("cloud_controller.read", "cloud_controller.admin_read_only")
    refused = dict.fromkeys([*forged.values(), *unfit.values()], BAD_TOKEN) | {cc.token("openid"): NOT_ALLOWED}

    async def ask_all() -> None:
        for endpoint in SECURED:
            path = world.path(endpoint.path, world.organization) or endpoint.path.format(guid="g", name="n", feature="f")
            more = {} if endpoint.method == "GET" else {reader: NOT_ALLOWED}
            more |= {} if endpoint.public else {"": NO_TOKEN}
            for token, wanted in (refused | more).items():
                assert await ask(served, endpoint.method, path, token) == wanted, (endpoint, token)

    served = app.external_app(cc.platform)
    cc.runner.run(ask_all())


async def ask(served: Any, method: str, path: str, token: str) -> tuple[int, int]:
    """Status and code of the refusal; without a client, for there are thousands of these."""
    headers = [(b"host", b"api.test"), (b"authorization", token.encode("latin-1"))]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await served(scope, receive, send)
    body = b"".join(each.get("body", b"") for each in sent)
    return sent[0]["status"], msgspec.json.decode(body)["errors"][0]["code"]


def test_these_would_be_good(cc: Any) -> None:
    """What makes the others bad is what is told of them."""
    for token in (cc.sign(ADMIN), cc.sign(ADMIN, nbf=cc.clock.now()), cc.sign(ADMIN, aud="cloud_controller")):
        assert cc("GET", "/v3/apps", headers={"Authorization": token}).status_code == 200
