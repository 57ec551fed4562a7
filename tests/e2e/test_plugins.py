"""Route services with brokers, from the plugins' packages, against a whole foundation."""

import configparser
import json
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import CFROUTE, Foundation

pytestmark = pytest.mark.e2e

PLUGINS = Path(__file__).parents[2] / "plugins"
Until = Callable[[Callable[[], Any], str], Any]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The packages look installed to every program that is started: their folders are on the path, with what pip writes."""
    site = tmp_path_factory.mktemp("site")
    for file in sorted(PLUGINS.glob("*/pyproject.toml")):
        project = tomllib.loads(file.read_text())["project"]
        info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        head = {"Metadata-Version": "2.1", "Name": project["name"], "Version": project["version"]}
        (info / "METADATA").write_text("".join(f"{name}: {value}\n" for name, value in head.items()))
        points = configparser.ConfigParser()
        points.read_dict(project.get("entry-points", {}))
        with (info / "entry_points.txt").open("w") as written:
            points.write(written)
    folders = [site, *(file.parent for file in PLUGINS.glob("*/pyproject.toml"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))
        yield


class Platform:
    """What an operator and a developer do with brokers, by the API."""

    def __init__(self, foundation: Foundation, until: Until) -> None:
        self._foundation, self._until = foundation, until

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The data of the answer; where it is a job, once that is complete."""
        data = ("-d", json.dumps(body)) if body is not None else ()
        head, _, answer = self._foundation.ok("curl", "-i", "--fail", "-X", method, path, *data).partition("\n\n")
        if job := next((line for line in head.splitlines() if line.lower().startswith("location:")), ""):
            where = "/v3/jobs/" + job.rpartition("/")[2]
            self._until(lambda: self._done(where), f"{method} {path}")
        return json.loads(answer) if answer.strip() else None

    def _done(self, job: str) -> bool:
        state = self.ask("GET", job)
        assert state["state"] != "FAILED", state["errors"]
        return bool(state["state"] == "COMPLETE")

    def one(self, path: str) -> str:
        """The guid of the only one in a list."""
        [found] = self.ask("GET", path)["resources"]
        return str(found["guid"])

    def offer(self, name: str, url: str) -> None:
        """Register a broker, and let everybody have its plans."""
        login = {"type": "basic", "credentials": {"username": "admin", "password": "secret"}}
        self.ask("POST", "/v3/service_brokers", {"name": name, "url": url, "authentication": login})
        for plan in self.ask("GET", f"/v3/service_plans?service_broker_names={name}")["resources"]:
            self.ask("PATCH", f"/v3/service_plans/{plan['guid']}/visibility", {"type": "public"})

    def bind(self, broker: str, host: str, parameters: Any) -> str:
        """Make an instance of the plan `default`, and bind it; returns the path of the binding."""
        plan = self.one(f"/v3/service_plans?service_broker_names={broker}&names=default")
        links = {"space": {"data": {"guid": self.one("/v3/spaces")}}, "service_plan": {"data": {"guid": plan}}}
        self.ask("POST", "/v3/service_instances", {"type": "managed", "name": broker, "relationships": links})
        instance, route = self.one(f"/v3/service_instances?names={broker}"), self.one(f"/v3/routes?hosts={host}")
        ends = {"route": {"data": {"guid": route}}, "service_instance": {"data": {"guid": instance}}}
        self.ask("POST", "/v3/service_route_bindings", {"relationships": ends, "parameters": parameters})
        return f"/v3/service_route_bindings/{self.one(f'/v3/service_route_bindings?service_instance_guids={instance}')}"


@pytest.fixture(scope="module")
def running(new_shared: Callable[[], Foundation], installed: None) -> Foundation:
    """A foundation with the app `echo`, shared by both tests: what they bind they unbind."""
    foundation = new_shared()
    foundation.up()
    foundation.ok("push", "echo", "--sample", "echo")
    return foundation


@pytest.fixture
def platform(running: Foundation, until: Until) -> Platform:
    return Platform(running, until)


def test_a_brokered_route_service_limits_the_requests_of_a_bound_route(
    running: Foundation, platform: Platform, until: Until
) -> None:
    running.ok("push", "ratelimit", "--sample", "ratelimit")
    platform.offer("limits", f"http://ratelimit.{running.info['domain']}:{running.port}")
    binding = platform.bind("limits", "echo", {"limit": 1})

    until(lambda: running.get("echo")[0] == 429, "a request too many")
    until(lambda: running.get("echo")[0] == 200, "the next token")
    assert "X-Cf-Proxy-Signature" not in running.ok("logs", "ratelimit", "--recent")
    platform.ask("DELETE", binding)
    until(lambda: {running.get("echo")[0] for _ in range(8)} == {200}, "no limit")


@pytest.fixture
def static_proxy(running: Foundation) -> Iterator[tuple[int, int]]:
    """Its port and its broker's, in front of the load balancer."""
    ports = "--port", "0", "--broker-port", "0"
    with subprocess.Popen(
        [CFROUTE, "static-proxy", "--upstream", f"http://127.0.0.1:{running.port}", *ports], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first, second = (int(process.stdout.readline().rpartition(":")[2]) for _ in range(2))
        yield first, second
        process.terminate()


def test_a_static_proxy_is_told_what_to_do_and_gorouter_knows_nothing(
    running: Foundation, platform: Platform, static_proxy: tuple[int, int]
) -> None:
    proxy, broker = static_proxy
    platform.offer("edge", f"http://127.0.0.1:{broker}")
    lb, running.port = running.port, proxy
    assert running.get("echo", "/admin")[0] == 200
    binding = platform.bind("edge", "echo", {"deny": ["/admin"], "headers": {"X-Tenant": "one"}})
    status, body = running.get("echo", "/")
    assert status == 200
    assert b"x-tenant" in body.lower()
    assert b"x-cf-proxy" not in body.lower()
    assert running.get("echo", "/admin")[0] == 403
    platform.ask("DELETE", binding)
    assert running.get("echo", "/admin")[0] == 200
    running.port = lb
