"""Upstream's deprecated mode (section 10.3), and the debug listener (10.4)."""

import json
import re

import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import Router

PASSWORD = "Authorization: Basic dTpw\r\n"
MEMBERS = {
    "bad_gateways", "bad_requests", "cpu", "credentials", "droplets", "host", "index", "latency", "log_counts", "mem",
    "ms_since_last_registry_update", "num_cores", "rate", "requests", "requests_per_sec", "responses_2xx", "responses_3xx",
    "responses_4xx", "responses_5xx", "responses_xxx", "start", "tags", "top10_app_requests", "type", "uptime", "urls", "uuid",
}  # fmt: skip


@pytest.fixture(scope="module")
def announced(shared_nats):
    """What is announced over NATS from now on."""
    shared_nats.subscribe("vcap.component.announce")
    return shared_nats


@pytest.fixture(scope="module")
def router(announced, tmp_path_factory):
    """A router in the deprecated mode, with a debug listener."""
    debug_port = free_port()
    settings = {
        "status": {"host": "127.0.0.1", "enable_deprecated_varz_healthz_endpoints": True},
        "debug_addr": f"127.0.0.1:{debug_port}",
    }
    made = Router(tmp_path_factory.mktemp("varz"), announced, settings)
    made.debug_port = debug_port
    yield made
    assert made.stop() == 0


def ask(router, path, port=None, headers="", body=b"", method="GET"):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return router.fetch(f"{method} {path} HTTP/1.0\r\n{headers}{length}\r\n".encode() + body, port or router.status_port)


def varz(router):
    return json.loads(ask(router, "/varz", headers=PASSWORD).body)


@pytest.mark.statement("10.3", "the router announces itself with its page on vcap.component.announce")
def test_announcement(router, announced):
    subject, payload = announced.next()
    assert subject == "vcap.component.announce"
    page = json.loads(payload)
    assert set(page) == MEMBERS
    assert (page["type"], page["host"], page["credentials"]) == ("Router", f"127.0.0.1:{router.status_port}", ["u", "p"])


@pytest.mark.statement("10.3", "who asks on vcap.component.discover gets the page")
@pytest.mark.statement("2.1", "without a subject for the reply nothing is answered")
def test_discovery(router, announced):
    announced.publish("vcap.component.discover", b"")
    announced.publish("vcap.component.discover", b"", reply="vcap.component.announce")
    page = json.loads(announced.next()[1])
    assert page["uuid"] == varz(router)["uuid"]
    assert re.fullmatch(r"0-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", page["uuid"])


@pytest.mark.statement("10.3", "/varz has the members of upstream's, sorted, and numbers without fraction as integers")
def test_varz(router, backend):
    router.register("varz.test", backend(), app="app-guid", tags={"component": "varz-app"})
    before = varz(router)
    assert router.get("varz.test").status == 200
    assert router.get("nowhere.test").status == 404
    page = eventually(lambda: (now := varz(router))["responses_2xx"] > before["responses_2xx"] and now, "a response")
    assert set(page) == MEMBERS
    assert page["requests"] - before["requests"] == 1
    assert page["bad_requests"] - before["bad_requests"] == 1
    assert page["tags"]["component"]["varz-app"]["responses_2xx"] == 1
    assert set(page["tags"]["component"]["varz-app"]) == {name for name in MEMBERS if name.startswith("responses_")} | {
        "requests", "rate", "latency",
    }  # fmt: skip
    assert page["top10_app_requests"] == [{"application_id": "app-guid", "rpm": 1, "rps": 0}]
    assert 0 < page["latency"]["50"] < 5
    assert page["latency"].items() >= {"samples": 1, "value": 5e-7}.items()
    assert (page["urls"], page["droplets"]) == (1, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000", page["start"])
    assert re.fullmatch(r"0d:0h:\d+m:\d+s", page["uptime"])
    raw = ask(router, "/varz", headers=PASSWORD)
    assert (raw["Content-Type"], raw["Connection"]) == ("application/json", "close")
    assert raw.body.endswith(b"}\n")
    assert b'"log_counts":{}' in raw.body


@pytest.mark.statement("10.3", "/health and /healthz are for everybody, /varz and /routes want a password, the rest is 404")
def test_paths(router):
    assert ask(router, "/health").body == b"ok\n"
    assert (ask(router, "/healthz").status, ask(router, "/healthz").body) == (200, b"ok")
    for path in ("/varz", "/routes"):
        assert ask(router, path).status == 401
        assert ask(router, path, headers=PASSWORD).status == 200
    for path in ("/", "/is-process-alive-do-not-use-for-loadbalancing"):
        assert ask(router, path, headers=PASSWORD).status == 404


@pytest.mark.statement("10.4", "/log-level takes the level as its body, with any method")
def test_log_level(router, backend):
    def change(level):
        assert ask(router, "/log-level", router.debug_port, body=level, method="PUT").status == 200

    change(b"error")
    router.register("quiet.test", backend())
    change(b"0")
    router.register("loud.test", backend())
    eventually(lambda: router.log("uri-added"), "a debug line")
    shown = [data["uri"] for data in router.log("uri-added")]
    assert "loud.test" in shown
    assert "quiet.test" not in shown


@pytest.mark.statement("10.4", "Go's profiles have no counterpart: 404")
@pytest.mark.parametrize("path", ["/debug/pprof/", "/debug/pprof/heap", "/block-profile-rate", "/mutex-profile-fraction"])
def test_no_profiles(router, path):
    assert ask(router, path, router.debug_port).status == 404
