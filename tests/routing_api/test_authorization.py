"""Tokens of a real UAA: who may do what, and what happens when its key changes."""

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from cfroute import jwt

from .daemons import Process
from .uaas import Guarded, Uaa, guarded_routing_api


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_routing_api(tmp_path_factory.mktemp("routing")) as found:
        assert found.api.said("received-issuer") == [{"issuer": found.uaa.issuer}]
        yield found


@pytest.fixture
def uaa(guarded: Guarded) -> Uaa:
    return guarded.uaa


@pytest.fixture
def folder(uaa: Uaa) -> Path:
    return uaa.folder


@pytest.fixture
def api(guarded: Guarded) -> Iterator[httpx.Client]:
    with guarded.api.client() as client:
        yield client


def refused(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    told = answer.json()
    assert told["name"] == "UnauthorizedError"
    return str(told["message"])


NOT_ALLOWED = "You are not authorized to perform the requested action"
ENDPOINTS = (
    ("GET", "/routes", "routing.routes.read"),
    ("POST", "/routes", "routing.routes.write"),
    ("DELETE", "/routes", "routing.routes.write"),
    ("GET", "/events", "routing.routes.read"),
    ("GET", "/tcp_routes", "routing.routes.read"),
    ("POST", "/tcp_routes/create", "routing.routes.write"),
    ("POST", "/tcp_routes/delete", "routing.routes.write"),
    ("GET", "/tcp_routes/events", "routing.routes.read"),
    ("GET", "/router_groups", "routing.router_groups.read"),
    ("POST", "/router_groups", "routing.router_groups.write"),
    ("PUT", "/router_groups/x", "routing.router_groups.write"),
    ("DELETE", "/router_groups/x", "routing.router_groups.write"),
)


@pytest.mark.statement("Routing API 4", "each endpoint wants its own scope")
@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_each_endpoint_wants_its_scope(folder: Path, uaa: Uaa, api: httpx.Client, method: str, path: str, scope: str) -> None:
    key = jwt.private_key(folder / "signing.pem")

    def status(scopes: list[str]) -> int:
        token = jwt.sign({"iss": uaa.issuer, "scope": scopes}, key)
        with api.stream(method, path, headers={"Authorization": f"bearer {token}"}) as answer:
            return answer.status_code

    others = {each for _, _, each in ENDPOINTS} - {scope}
    assert status(sorted(others)) == 401
    assert status([scope]) != 401


@pytest.mark.statement("Routing API 4", "what is wrong with a token is 401 `UnauthorizedError`, never 403, in upstream's words")
def test_texts(folder: Path, uaa: Uaa, api: httpx.Client) -> None:
    key = jwt.private_key(folder / "signing.pem")

    def told(header: str | None) -> str:
        return refused(api.get("/routes", headers={} if header is None else {"Authorization": header}))

    assert told(None) == told("bearer") == "Invalid token format"
    assert told("basic x") == "Invalid token type: basic"
    assert told("bearer x") == "token contains an invalid number of segments"
    assert told("bearer " + jwt.sign({"iss": uaa.issuer, "exp": time.time() - 1}, key)) == "Token is expired"
    assert told("bearer " + jwt.sign({"iss": "x"}, key)) == "invalid issuer"
    assert told("bearer " + jwt.sign({"iss": uaa.issuer}, key)) == NOT_ALLOWED


@pytest.mark.statement("Routing API 4", "tokens of a real UAA's clients are good for what the UAA lets them do")
def test_clients_of_the_uaa(uaa: Uaa, api: httpx.Client) -> None:
    route = {"route": "a.test", "port": 80, "ip": "10.0.0.1"}
    assert refused(api.post("/routes", json=[route], headers=uaa.token("gorouter"))) == NOT_ALLOWED
    assert api.post("/routes", json=[route], headers=uaa.token("emitter")).status_code == 201
    assert len(api.get("/routes", headers=uaa.token("gorouter")).json()) == 2
    assert refused(api.get("/router_groups", headers=uaa.token("gorouter"))) == NOT_ALLOWED
    assert api.get("/router_groups", headers=uaa.token("admin")).status_code == 200


@pytest.mark.statement("Routing API 4", "tokens are checked before the body is read")
def test_who_may_not_is_told_before_the_body_is_read(api: httpx.Client) -> None:
    assert refused(api.post("/routes", content="{")) == "Invalid token format"


@pytest.mark.statement("Routing API 3", "a client certificate replaces no token")
def test_a_mutual_tls_certificate_replaces_no_token(folder: Path, guarded: Guarded) -> None:
    url = f"https://127.0.0.1:{guarded.api.mtls_port}/routing/v1/routes"
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "id.pem", folder / "id.key")
    assert refused(httpx.get(url, verify=context, trust_env=False)) == "Invalid token format"


@pytest.mark.statement("Routing API 4", "a signature that does not fit makes it fetch the key once more, and check again")
def test_a_new_key(uaa: Uaa, api: httpx.Client) -> None:
    old = uaa.token("gorouter")
    assert api.get("/routes", headers=old).status_code == 200
    uaa.stop()
    assert api.get("/routes", headers=old).status_code == 200  # the key is known
    uaa.start()
    assert api.get("/routes", headers=uaa.token("gorouter")).status_code == 200
    assert refused(api.get("/routes", headers=old)) == "crypto/rsa: verification error"


def test_a_uaa_that_is_away_when_its_key_is_asked_for(uaa: Uaa, api: httpx.Client) -> None:
    good = uaa.token("gorouter")
    assert api.get("/routes", headers=good).status_code == 200
    uaa.stop()
    forged = {"Authorization": good["Authorization"][:-9] + "AAAAAAAAA"}
    assert "/token_key" in refused(api.get("/routes", headers=forged))
    assert api.get("/routes", headers=good).status_code == 200
    uaa.start(new_key=False)


@pytest.mark.statement(
    "Routing API 1", "a UAA whose certificate does not fit keeps it from starting, unless `skip_ssl_validation`"
)
def test_a_uaa_without_a_usable_key(folder: Path, tmp_path: Path, launch: Callable[..., Process], uaa: Uaa) -> None:
    process = launch(oauth={**uaa.oauth(), "ca_certs": str(tmp_path / "ca.pem")})  # another authority
    assert process.process.wait(30) == 1
    assert "certificate verify failed" in process.said("creating-uaa-client")[0]["error"]
    process = launch(oauth={**uaa.oauth(), "ca_certs": ""}, skip_ssl_validation=True).started()
    assert process.end() == 0
