"""The UAA below /uaa: one address is enough for a client."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cfroute import daemon
from cfroute.cloud_controller.local import local_app
from cfroute.cloud_controller.uaa.remote import RemoteUaa
from cfroute.home import Home
from cfroute.http_client import Client
from cfroute.uaa.local import local_app as local_uaa
from tests.cloud_controller.test_local import home

__all__ = ["home"]


async def _echo(request: Request) -> Response:
    """What has arrived, with a header and a status that have to come back."""
    names = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix", "authorization", "content-type")
    arrived = {name: request.headers.get(name) for name in names}
    arrived |= {"method": request.method, "path": request.scope["raw_path"].decode(), "query": request.url.query}
    return JSONResponse(arrived | {"body": (await request.body()).decode()}, 401, {"WWW-Authenticate": "Basic"})


@pytest.fixture
def remote(cc: Any) -> Iterator[Any]:
    """A Cloud Controller whose UAA tells what it was asked."""
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    http = Client(None, 5)
    stack = contextlib.AsyncExitStack()
    echo = Starlette(routes=[Route("/{rest:path}", _echo, methods=methods)])
    port = cc.runner.run(stack.enter_async_context(daemon.serving(echo, "127.0.0.1", 0)))
    uaa = RemoteUaa(http, f"http://127.0.0.1:{port}/", "http://public.test")
    cc.platform = dataclasses.replace(cc.platform, uaa=uaa)
    yield cc
    cc.runner.run(http.aclose())
    cc.runner.run(stack.aclose())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_requests_go_to_the_uaa_as_they_came(remote: Any, method: str) -> None:
    headers = {"Authorization": "Basic Y2Y6", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "forged.test"}
    answer = remote(method, "/uaa/oauth/clients/a%2Fb?x=1%202&y=", {"grant": "x"}, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Basic")
    assert answer.json() == {
        "x-forwarded-proto": "https",
        "x-forwarded-host": "api.test",
        "x-forwarded-prefix": "/uaa",
        "authorization": "Basic Y2Y6",
        "content-type": "application/json",
        "method": method,
        "path": "/oauth/clients/a%2Fb",
        "query": "x=1%202&y=",
        "body": '{"grant":"x"}',
    }


@pytest.mark.parametrize("host", ["uaa.cf.localhost", "login.cf.localhost:8443", "UAA.CF.LOCALHOST"])
def test_at_its_own_hosts_the_uaa_has_the_root_path(remote: Any, host: str) -> None:
    answer = remote("GET", "/uaa/x?y=1", headers={"Host": host, "X-Forwarded-Proto": "https"})
    told = answer.json()
    assert (told["path"], told["query"]) == ("/uaa/x", "y=1")
    assert (told["x-forwarded-host"], told["x-forwarded-prefix"], told["x-forwarded-proto"]) == (host, "", "https")
    assert remote("GET", "/", headers={"Host": host}).json()["path"] == "/"


@pytest.mark.parametrize("host", ["api.cf.localhost", "uaa.other.test", "xuaa.cf.localhost", "127.0.0.1:9022"])
def test_at_other_hosts_there_is_the_api(remote: Any, host: str) -> None:
    links = remote("GET", "/", headers={"Host": host}).json()["links"]
    assert links["uaa"] == {"href": f"http://{host}/uaa"}


def test_a_uaa_that_is_away_is_the_cloud_controllers_error(cc: Any) -> None:
    http = Client(None, 1)
    cc.platform = dataclasses.replace(cc.platform, uaa=RemoteUaa(http, "http://127.0.0.1:9", "http://public.test"))
    answer = cc("GET", "/uaa/login")
    assert (answer.status_code, answer.json()["errors"][0]["title"]) == (503, "CF-UaaUnavailable")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_reaches_only_the_api_logs_in_while_the_foundation_is_down(home: Home, scheme: str) -> None:
    async def talk() -> None:
        transport = httpx.ASGITransport(local_app(home, local_uaa(home)))
        proxied = {"X-Forwarded-Proto": scheme}
        async with httpx.AsyncClient(transport=transport, base_url="http://any.host:8080", headers=proxied) as client:
            links = (await client.get("/")).json()["links"]
            base = f"{scheme}://any.host:8080/uaa"
            assert links["login"] == links["uaa"] == {"href": base}
            login = (await client.get("/uaa/login", headers={"Accept": "application/json"})).json()
            assert login["links"] == {"uaa": base, "login": base}
            assert f"Get one at {base}/passcode " in login["prompts"]["passcode"][1]
            form = {"grant_type": "password", "username": "admin", "password": "pw"}
            token = (await client.post("/uaa/oauth/token", data=form, auth=("cf", ""))).json()["access_token"]
            found = await client.get("/v3/organizations", headers={"Authorization": f"bearer {token}"})
            assert found.status_code == 200
            form["password"] = "wrong"
            refused = await client.post("/uaa/oauth/token", data=form, auth=("cf", ""))
            assert (refused.status_code, refused.json()["error_description"]) == (401, "Bad credentials")

    asyncio.run(talk())
