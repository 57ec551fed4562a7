"""A table that is behind must not lead a request to the wrong app: what route integrity is for, and what happens without."""

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

STRIDE = 16  # a cell takes every 16th port


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def give_the_cell_few_ports(foundation, count):
    """From now on it has as many as one instance needs, so that the next instance gets those of the one before."""
    candidates = (range(first, first + count * STRIDE, STRIDE) for first in range(61000, 64000, STRIDE))
    ports = next(ports for ports in candidates if all(is_free(port) for port in ports))
    file = foundation.home / "config" / "rep-0.yml"
    bounds = f"port_range:\n- {ports[0]}\n- {ports[-1]}\n"
    changed, times = re.subn(r"port_range:\n- \d+\n- \d+\n", bounds, file.read_text())
    assert times == 1
    file.write_text(changed)
    foundation.ok("restart", "cell/0")


def stats(foundation, app):
    guid = foundation.ok("app", app, "--guid").strip()
    return json.loads(foundation.ok("curl", f"/v3/apps/{guid}/processes/web/stats"))["resources"][0]


def instance(foundation, app):
    """The guid of the instance that answers, if one does."""
    status, body = foundation.get(app)
    return json.loads(body)["instance"]["guid"] if status == 200 else None


def kill_instance(guid):
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"CF_INSTANCE_GUID={guid}".encode() in environment.read_bytes():
                os.kill(int(environment.parent.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue  # gone, or somebody else's


def crash_for_a_while(foundation, until, app):
    """Kill the instance until it is not started again at once; the last time the table does not learn of it."""
    for _ in range(2):
        before = instance(foundation, app)
        kill_instance(before)
        until(lambda before=before: instance(foundation, app) not in (None, before), "the next instance")
    last = instance(foundation, app)
    foundation.ok("kill", "route_emitter/0", "--signal", "STOP")
    kill_instance(last)
    until(lambda: stats(foundation, app)["state"] == "CRASHED", "a crash")
    return last


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the processes of instances in /proc")
@pytest.mark.parametrize("integrity", [True, False])
def test_an_address_that_another_app_has_got(new_foundation, until, integrity):
    foundation = new_foundation()
    foundation.up("--route-integrity" if integrity else "--no-route-integrity")
    give_the_cell_few_ports(foundation, 2 if integrity else 1)
    foundation.ok("push", "second", "--sample", "echo", "--no-start")
    foundation.ok("push", "first", "--sample", "echo")
    gone = crash_for_a_while(foundation, until, "first")
    foundation.ok("start", "second")

    wrong = stats(foundation, "second")["instance_guid"]
    [stale] = json.loads(foundation.ok("table", "first", "--json"))
    assert (stale["instance_id"], stale["tls"]) == (gone, integrity)
    status, body = foundation.get("first")
    if integrity:
        assert (status, body) == (503, b"503 Service Unavailable\n")
        assert json.loads(foundation.ok("table", "first", "--json")) == []
        log = foundation.home / "logs" / "gorouter-0-access.log"
        until(lambda: f"x509: certificate is valid for {wrong}, not {gone}" in log.read_text(), "the line of the request")
    else:
        assert (status, json.loads(body)["instance"]["guid"]) == (200, wrong)
    foundation.ok("kill", "route_emitter/0", "--signal", "CONT")
    until(lambda: instance(foundation, "second") == wrong, "the route of the other app")
