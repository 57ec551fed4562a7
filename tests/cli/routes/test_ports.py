"""TCP routes while the foundation is down, and what is said of ports that cannot be had."""

import sqlite3
from pathlib import Path

import pytest

from cfroute.cli.access.api import ApiError
from cfroute.cli.routes.router_groups import advice
from cfroute.home import Home

from ..conftest import Run


def reservable(home: Home, ports: str) -> None:
    """As if the Routing API had said so before the foundation was taken down."""
    with sqlite3.connect(home.databases / "ccdb.sqlite") as ccdb:
        ccdb.execute("UPDATE router_groups SET reservable_ports = ?", [ports])
    ccdb.close()


def test_the_ports_that_were_known_last_hold_and_their_end_is_explained(cfroute: Run, home: Home) -> None:
    assert cfroute("domains").status == 0
    reservable(home, "2000-2001,2005")
    [group] = cfroute("router-groups", "--json").data
    assert (group["name"], group["type"], group["reservable_ports"]) == ("default-tcp", "tcp", "2000-2001,2005")
    made = {cfroute("create-route", "tcp.cf.localhost", "--json").data["port"] for _ in range(3)}
    assert made == {2000, 2001, 2005}
    exhausted = cfroute("create-route", "tcp.cf.localhost")
    assert exhausted.status == 1
    message, _, tip = exhausted.err.splitlines()
    assert message == "There are no more ports available for this domain."
    assert tip.startswith("TIP: every port of router group 'default-tcp' (2000-2001,2005) has a route; ")


def test_the_hint_is_data_for_programs(cfroute: Run) -> None:
    refused = cfroute("create-route", "tcp.cf.localhost", "--port", "80", "--json")
    assert refused.error["message"] == "Port '80' is not available. Try a different port or use a different domain."
    assert refused.error["hint"].startswith("router group 'default-tcp' has the ports 1024-1123; ")


def test_a_group_that_the_routing_api_does_not_know_any_more(cfroute: Run, home: Home) -> None:
    cfroute("domains")
    with sqlite3.connect(home.databases / "ccdb.sqlite") as ccdb:
        ccdb.execute("UPDATE router_groups SET guid = 'other', name = 'other'")
    ccdb.close()
    refused = cfroute("create-route", "tcp.cf.localhost")
    problem = "Route could not be created because the specified domain does not have a valid router group."
    assert (refused.status, refused.err) == (1, f"{problem}\n")


def test_routes_of_a_manifest(cfroute: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = tmp_path / "app"
    app.mkdir()
    monkeypatch.chdir(app)
    text = "applications:\n- name: echo\n  routes:\n  - route: tcp.cf.localhost:1025\n  - route: echo.cf.localhost\n"
    (app / "manifest.yml").write_text(text)
    pushed = cfroute("push", "--no-start")
    assert pushed.status == 0, pushed.err
    assert "+   - route: tcp.cf.localhost:1025\n" in pushed.out
    assert "routes:            tcp.cf.localhost:1025, echo.cf.localhost\n" in pushed.out
    assert cfroute("push", "--no-start").status == 0  # the route is there now
    (app / "manifest.yml").write_text(text.replace("1025", "80"))
    refused = cfroute("push", "--no-start")
    problem = "Port '80' is not available. Try a different port or use a different domain."
    assert refused.err == f"For application 'echo': For route 'tcp.cf.localhost:80': {problem}\n"


def test_an_older_database_gets_its_group(cfroute: Run, home: Home) -> None:
    cfroute("create-route", "tcp.cf.localhost", "--port", "1030")
    with sqlite3.connect(home.databases / "ccdb.sqlite") as ccdb:
        ccdb.execute("DROP TABLE router_groups")
        ccdb.execute("PRAGMA user_version = 1")
    ccdb.close()
    assert cfroute("check-route", "tcp.cf.localhost", "--port", "1030", "--exit-code").status == 0
    assert cfroute("create-route", "tcp.cf.localhost", "--port", "1031").status == 0


@pytest.mark.parametrize(
    ("detail", "next_step"),
    [
        ("The Routing API is disabled.", "cfroute up --tcp-routers 1"),
        ("The Routing API is currently unavailable. Please try again later.", "cfroute restart routing_api/0"),
        ("Domain not found", ""),
    ],
)
def test_what_to_do_when_the_routing_api_is_the_reason(detail: str, next_step: str) -> None:
    said = advice(ApiError(503, [{"code": 10015, "title": "CF-ServiceUnavailable", "detail": detail}]))
    assert next_step in said
    assert bool(said) is bool(next_step)


def test_what_the_routing_api_refuses_is_told_in_its_own_words(cfroute: Run) -> None:
    answer = cfroute("curl", "/routing/v1/router_groups?name=nope")
    assert "Router Group 'nope' not found" in answer.out
