"""API, UAA and log cache by their names: registered by the route registrar, reached through load balancer and Gorouter."""

import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ..waiting import eventually
from .conftest import Foundation

Until = Callable[[Callable[[], Any], str], Any]
COMPONENTS = {"api": "CloudController", "uaa": "uaa", "login": "uaa", "log-cache": "log-cache"}


class System:
    """Asks the system's hosts, over HTTP or HTTPS."""

    def __init__(self, foundation: Foundation, scheme: str) -> None:
        self.domain = foundation.info["domain"]
        self.password = json.loads((foundation.home / "secrets.json").read_text())["admin_password"]
        self.port = int(foundation.info[scheme].rpartition(":")[2])
        self._scheme = scheme
        context = ssl.create_default_context(cafile=foundation.info["ca"])
        self._client = httpx.Client(base_url=f"{scheme}://127.0.0.1:{self.port}", verify=context, trust_env=False)

    def url(self, host: str) -> str:
        return f"{self._scheme}://{host}.{self.domain}:{self.port}"

    def ask(self, host: str, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        name = f"{host}.{self.domain}"
        headers = {"Host": f"{name}:{self.port}", **options.pop("headers", {})}
        return self._client.request(method, path, headers=headers, extensions={"sni_hostname": name}, **options)

    def token(self) -> str:
        """The admin's, from the UAA at its own host."""
        form = {"grant_type": "password", "username": "admin", "password": self.password}
        answer = self.ask("uaa", "/oauth/token", "POST", data=form, auth=("cf", ""))
        return str(answer.raise_for_status().json()["access_token"])


def until_known(foundation: Foundation) -> None:
    """Return once both routers have heard of the routes: the registrar is ready when it has told them."""

    def rows() -> set[tuple[str, str]]:
        return {(row["route"], row["router"]) for row in json.loads(foundation.ok("table", "--json")) if row["component"]}

    eventually(lambda: len(rows()) == 2 * len(COMPONENTS), "the system's routes at both routers")


@pytest.fixture(scope="module")
def known(foundation: Foundation) -> Foundation:
    """A foundation whose routers know the routes."""
    until_known(foundation)
    return foundation


@pytest.fixture(params=["http", "https"])
def system(known: Foundation, request: pytest.FixtureRequest) -> System:
    return System(known, request.param)


def test_the_api_leads_to_all_that_a_client_needs(system: System) -> None:
    links = system.ask("api", "/").raise_for_status().json()["links"]
    assert links["self"]["href"] == links["log_cache"]["href"] == system.url("api")
    assert links["login"]["href"] == links["uaa"]["href"] == f"{system.url('api')}/uaa"
    organizations = system.ask("api", "/v3/organizations", headers={"Authorization": f"bearer {system.token()}"}).json()
    assert [each["name"] for each in organizations["resources"]] == ["local"]
    assert organizations["pagination"]["first"]["href"].startswith(f"{system.url('api')}/v3/organizations?")
    assert system.ask("api", "/v3/organizations").status_code == 401


def test_login_has_the_uaas_pages_at_its_root(system: System) -> None:
    login = system.ask("login", "/login", headers={"Accept": "application/json"}).raise_for_status().json()
    assert login["links"] == {"uaa": system.url("login"), "login": system.url("login")}


def test_the_log_cache_answers_at_its_host(system: System) -> None:
    assert system.ask("log-cache", "/api/v1/info", headers={"Authorization": f"bearer {system.token()}"}).status_code == 200


def test_they_are_in_the_table_and_no_routes_of_anybody(known: Foundation) -> None:
    rows = json.loads(known.ok("table", "--json"))
    found = {(row["route"], row["component"]) for row in rows if row["component"]}
    assert found == {(f"{host}.cf.localhost", component) for host, component in COMPONENTS.items()}
    assert "api.cf.localhost" not in known.ok("routes")
    refused = known.run("create-route", "cf.localhost", "--hostname", "log-cache")
    assert refused.returncode == 1
    assert "Route conflicts with a reserved system route." in refused.stdout + refused.stderr
    assert known.info["api_route"] == System(known, "https").url("api")


def test_a_registrar_that_is_killed_comes_back_and_one_that_ends_takes_its_routes_along(known: Foundation, until: Until) -> None:
    system = System(known, "https")
    known.ok("kill", "route_registrar")
    until(lambda: known.components()["route_registrar"]["restarts"] == 1, "a new process")
    assert system.ask("api", "/healthz").status_code == 200  # the routers have not forgotten it
    assert "route_registrar is running" in known.ok("restart", "route_registrar")
    assert "Unregistered routes successfully" in known.ok("logs", "route_registrar", "--recent")
    until_known(known)
    assert system.ask("api", "/healthz").status_code == 200


def test_a_router_that_starts_knows_them_at_once(known: Foundation) -> None:
    known.ok("restart", "gorouter/1")
    rows = json.loads(known.ok("table", "api.cf.localhost", "--json"))
    assert [row["router"] for row in rows] == ["gorouter/0", "gorouter/1"]


def test_cloudfoundry_client_works_by_name(known: Foundation, monkeypatch: pytest.MonkeyPatch) -> None:
    client = pytest.importorskip("cloudfoundry_client.client")
    system, resolve = System(known, "https"), socket.getaddrinfo

    def here(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(".cf.localhost") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)  # not every resolver knows names below localhost
    cf = client.CloudFoundryClient(system.url("api"), verify=known.info["ca"])
    cf.init_with_user_credentials("admin", system.password)
    assert [each["name"] for each in cf.v3.organizations.list()] == ["local"]
    assert [each["name"] for each in cf.v3.apps.list()] == ["echo"]
