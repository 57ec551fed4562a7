"""The texts about apps: summaries and log lines, word by word as cf's, and when an app counts as started."""

import time
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.apps.app_logs import LogLine, Tail
from cfroute.cli.apps.events import description
from cfroute.cli.apps.starting import verdict
from cfroute.cli.apps.summary import AppSummary, Buildpack, Deployment, Process, _instance, deployment_text, summary_text

MIB = 1 << 20


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def stats(index: int, state: str = "RUNNING", **changed: Any) -> dict[str, Any]:
    return {
        "type": "web",
        "index": index,
        "state": state,
        "uptime": 7,
        "mem_quota": 64 * MIB,
        "disk_quota": 1024 * MIB,
        "usage": {"cpu": 0.003, "mem": 15 * MIB, "disk": 40 * MIB, "cpu_entitlement": 0.1, "log_rate": 0},
        "details": None,
        "routable": True,
        "log_rate_limit": -1,
        **changed,
    }


RUNNING = (Path(__file__).parent / "running_app.txt").read_text().removesuffix("\n")

NOW = 1_795_289_339.0  # 2026-11-21T19:28:59Z


def test_the_summary_of_a_running_app(utc: None) -> None:
    app = AppSummary(
        guid="g",
        name="web",
        state="started",
        routes=["web.apps.example.com", "grpc.apps.example.com", "tcp.example.com:1111"],
        last_uploaded="2026-11-21T19:28:44Z",
        stack="cflinuxfs4",
        buildpacks=[Buildpack("binary_buildpack", "1.0.0", "", "binary")],
        processes=[Process("p", "web", 64, None, [_instance(stats(0), NOW), _instance(stats(1), NOW - 1)])],
    )
    assert click.unstyle(summary_text(app)) == RUNNING


def test_the_summary_of_an_app_that_does_not_start(utc: None) -> None:
    crashed = _instance(stats(0, "CRASHED", details="APP/PROC/WEB: Exited with status 3", routable=False), NOW)
    down = _instance({"type": "web", "index": 1, "state": "DOWN", "uptime": 0}, NOW)
    app = AppSummary("g", "crash", "started", [], "", "", [], [Process("p", "web", 64, "exit 3", [crashed, down])])
    lines = click.unstyle(summary_text(app)).split("\n")
    assert lines[-8:-3] == [
        "type:            web",
        "sidecars:        ",
        "instances:       0/2",
        "memory usage:    64M",
        "start command:   exit 3",
    ]
    assert lines[-2].startswith("#0   crashed   2026-11-21T19:28:52Z   0.3%")
    assert lines[-2].endswith("APP/PROC/WEB: Exited with status 3   false")
    assert lines[-1].split("   ")[:2] == ["#1", "down"]


@pytest.mark.parametrize(
    ("states", "first_is_enough", "expected"),
    [
        ([], False, "running"),
        (["RUNNING"], False, "running"),
        (["RUNNING", "STARTING"], False, "starting"),
        (["RUNNING", "STARTING"], True, "running"),
        (["RUNNING", "DOWN"], False, "starting"),
        (["RUNNING", "CRASHED"], False, "running"),
        (["STARTING", "CRASHED"], True, "starting"),
        (["CRASHED", "CRASHED"], False, "crashed"),
        (["STARTING"], True, "starting"),
    ],
)
def test_when_a_process_counts_as_started(states: list[str], first_is_enough: bool, expected: str) -> None:
    assert verdict([{"state": state} for state in states], first_is_enough=first_is_enough) == expected


def test_a_log_line(utc: None) -> None:
    line = LogLine(1_795_289_268_020_000_000, "STG", "0", "OUT", "Downloading binary_buildpack...")
    assert line.text == "   2026-11-21T19:27:48.02+0000 [STG/0] OUT Downloading binary_buildpack..."


class Log:
    """The log cache's API over a list of times: each line is known by its time and text."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []

    def get(self, path: str, /, **query: Any) -> dict[str, Any]:
        chosen = sorted(line for line in self.lines if line[0] >= query["start_time"])[: query["limit"]]
        batch = [
            {"timestamp": str(at), "instance_id": "0", "tags": {"source_type": "STG"}, "log": {"payload": text, "type": "OUT"}}
            for at, text in chosen
        ]
        return {"envelopes": {"batch": batch}}


@given(st.lists(st.lists(st.integers(0, Tail.OVERLAP - 1), max_size=4), max_size=6))
def test_a_tail_gives_every_line_once_though_they_come_out_of_order(rounds: list[list[int]]) -> None:
    """Within a second, the order in which lines are appended is not that of their times."""
    log = Log()
    tail = Tail(log, {"guid": "g"}, start=1000)  # type: ignore[arg-type]
    given_out: list[tuple[int, str]] = []
    for number, offsets in enumerate(rounds):
        for place, offset in enumerate(offsets):
            log.lines.append((1000 + offset, f"{number:02d}{place:02d}"))
        given_out += [(line.timestamp, "") for line in tail.new()]
    assert len(given_out) == len(log.lines)
    assert list(tail.new()) == []


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        (
            Deployment("d", "rolling", "DEPLOYING", "2026-11-21T19:28:44Z", 2, 0, 0),
            """Active deployment with status DEPLOYING (since Sat 21 Nov 19:28:44 UTC 2026)
strategy:        rolling
max-in-flight:   2""",
        ),
        (
            Deployment("d", "canary", "PAUSED", "", None, 1, 3),
            """Active deployment with status PAUSED.
strategy:       canary
canary-steps:   1/3

Please run `cfroute continue-deployment web` to promote the canary deployment, or \
`cfroute cancel-deployment web` to rollback to the previous version.""",
        ),
        (
            Deployment("d", "rolling", "CANCELING", "", None, 0, 0),
            "Active deployment with status CANCELING.\nstrategy:   rolling",
        ),
    ],
    ids=["rolling", "canary-paused", "canceling"],
)
def test_the_deployment_that_an_app_is_in(deployment: Deployment, expected: str, utc: None) -> None:
    assert deployment_text("web", deployment) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ""),
        ({"memory": 64, "instances": 2, "name": "web"}, "instances: 2, memory: 64"),
        ({"recursive": True, "index": 0}, "index: 0, recursive: true"),
        ({"exit_description": "oh", "reason": "CRASHED", "state": None}, "reason: CRASHED, exit_description: oh"),
    ],
    ids=["nothing", "sizes", "kinds", "crash"],
)
def test_what_is_told_of_an_event(data: dict[str, Any], expected: str) -> None:
    assert description(data) == expected
