"""Route services of all three models, by the command line alone, against a whole foundation; the brokers are the plugins'."""

import configparser
import contextlib
import json
import os
import re
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
Bound = Callable[..., contextlib.AbstractContextManager[None]]


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


@pytest.fixture(scope="module")
def running(new_shared: Callable[[], Foundation], installed: None) -> Foundation:
    """A foundation with the app `echo`, shared by the tests: what they bind they unbind."""
    foundation = new_shared()
    foundation.up()
    foundation.ok("push", "echo", "--sample", "echo")
    return foundation


@pytest.fixture
def bound(running: Foundation) -> Bound:
    """Binds the route of `echo` to a service instance; after the block both binding and instance are gone."""

    @contextlib.contextmanager
    def bind(instance: str, *words: str) -> Iterator[None]:
        route = (running.info["domain"], instance, "--hostname", "echo")
        running.ok("bind-route-service", *route, *words)
        try:
            [row] = [row for row in json.loads(running.ok("routes", "--json")) if row["host"] == "echo"]
            assert row["service_instance"] == instance
            yield
        finally:
            running.ok("unbind-route-service", *route, "-f", "--wait")
            running.ok("delete-service", instance, "-f", "--wait")

    return bind


def offer(foundation: Foundation, broker: str, url: str, offering: str) -> None:
    """What an operator does: register the broker, and let everybody have its plans."""
    foundation.ok("create-service-broker", broker, "admin", "secret", url)
    foundation.ok("enable-service-access", offering)
    assert offering in foundation.ok("marketplace")


def withdraw(foundation: Foundation, broker: str) -> None:
    foundation.ok("delete-service-broker", broker, "-f")
    assert broker not in foundation.ok("service-brokers")


def test_user_provided_a_route_service_that_is_an_app_sees_the_requests(running: Foundation, bound: Bound, until: Until) -> None:
    running.ok("push", "logger", "--sample", "logging-route-service")
    running.ok("create-user-provided-service", "mylogger", "-r", f"https://logger.{running.info['domain']}")
    told = re.compile(rf"Forwarding to: https://echo\.{re.escape(running.info['domain'])}:\d+/seen")

    def logged() -> bool:
        assert running.get("echo", "/seen")[0] == 200
        return told.search(running.ok("logs", "logger", "--recent")) is not None

    with bound("mylogger"):
        until(logged, "a request that the logger was asked about")
    running.ok("delete", "logger", "-f", "-r")
    until(lambda: {running.get("echo")[0] for _ in range(8)} == {200}, "requests that need no logger")


def test_fully_brokered_a_route_service_limits_the_requests_of_a_bound_route(
    running: Foundation, bound: Bound, until: Until
) -> None:
    running.ok("push", "ratelimit", "--sample", "ratelimit")
    offer(running, "limits", f"http://ratelimit.{running.info['domain']}:{running.port}", "cfroute-ratelimit")
    running.ok("create-service", "cfroute-ratelimit", "default", "limited", "--wait")
    with bound("limited", "-c", '{"limit": 1}', "--wait"):
        until(lambda: running.get("echo")[0] == 429, "a request too many")
        until(lambda: running.get("echo")[0] == 200, "the next token")
        assert "X-Cf-Proxy-Signature" not in running.ok("logs", "ratelimit", "--recent")
        refused = running.run("delete-service-broker", "limits", "-f")
        assert refused.stderr == "Can not remove brokers that have associated service instances: limits\n"
    until(lambda: {running.get("echo")[0] for _ in range(8)} == {200}, "no limit")
    withdraw(running, "limits")


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


def test_static_brokered_a_proxy_is_told_what_to_do_and_gorouter_knows_nothing(
    running: Foundation, bound: Bound, static_proxy: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, broker = static_proxy
    offer(running, "edge", f"http://127.0.0.1:{broker}", "cfroute-static-proxy")
    running.ok("create-service", "cfroute-static-proxy", "default", "policy")
    monkeypatch.setattr(running, "port", proxy)
    assert running.get("echo", "/admin")[0] == 200
    with bound("policy", "-c", '{"deny": ["/admin"], "headers": {"X-Tenant": "one"}}'):
        status, body = running.get("echo", "/")
        assert status == 200
        assert b"x-tenant" in body.lower()
        assert b"x-cf-proxy" not in body.lower()
        assert running.get("echo", "/admin")[0] == 403
    assert running.get("echo", "/admin")[0] == 200
    withdraw(running, "edge")
