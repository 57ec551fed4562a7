"""The commands that need running processes, against a real foundation."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cfroute.cli import live_values
from cfroute.cli.access import transport
from cfroute.cli.main import COMPLETION, main

from .conftest import Outcome, Run, line, read_until

pytestmark = pytest.mark.e2e

UP = ("--tcp-routers", "0")
PUSHED = ("echo", "--sample", "echo", "-i", "2")
OWN_FIELDS = [
    *("label", "name", "tags", "instance_guid", "instance_name", "binding_guid", "binding_name"),
    *("credentials", "syslog_drain_url", "volume_mounts"),
]
"""What VCAP_SERVICES says of a user-provided service, in upstream's order."""
FIELDS = ["label", "provider", "plan", *OWN_FIELDS[1:]]


@pytest.fixture
def started(folder: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts commands that go on until they are ended."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str) -> "subprocess.Popen[str]":
        running.append(subprocess.Popen(line(folder, *words), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def get(running: Run, path: str, host: str = "echo.cf.localhost") -> httpx.Response:
    base = running("info", "--json").data["http"]
    return httpx.get(base + path, headers={"Host": host}, timeout=30, trust_env=False)


def test_what_was_pushed_is_reached(running: Run) -> None:
    assert get(running, "/hello").status_code == 200
    summary = running("app", "echo", "--json").data
    assert [instance["state"] for instance in summary["processes"][0]["instances"]] == ["running", "running"]
    assert summary["routes"] == ["echo.cf.localhost"]
    assert "instances:      2/2\n" in running("app", "echo").out
    [row] = running("apps", "--json").data
    assert row["processes"] == [{"type": "web", "running": 2, "instances": 2}]


def test_push_announces_each_step_as_cf_does(running: Run, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>hello</p>")
    pushed = running("push", "static", "-p", str(tmp_path), "-m", "64M", "--hostname", "www")
    assert pushed.status == 0, pushed.err
    assert pushed.out.startswith(
        "Pushing app static to org local / space dev as admin...\n"
        "Packaging files to upload...\n"
        "Uploading files...\n\n\n"
        "Waiting for API to complete processing files...\n\n"
        "Staging app and tracing logs...\n   "
    )
    assert "\n\nWaiting for app static to start...\n\n\nname:              static\n" in pushed.out
    assert get(running, "/", "www.cf.localhost").text == "<p>hello</p>"
    assert running("delete", "static", "-f", "-r").status == 0


def test_a_sample_takes_settings_from_a_manifest_elsewhere(running: Run, tmp_path: Path) -> None:
    """What lies beside the manifest is not pushed: it may be anything."""
    (tmp_path / "manifest.yml").write_text("applications:\n- name: other\n  path: nowhere\n  env: {KEY: value}\n")
    pushed = running("push", "other", "--sample", "tcp-echo", "-f", str(tmp_path), "--no-start")
    assert pushed.status == 0, pushed.err
    assert running("env", "other", "--json").data["user"] == {"KEY": "value"}
    assert running("delete", "other", "-f", "-r").status == 0


def test_an_app_that_ends_at_once(running: Run, tmp_path: Path) -> None:
    """It never listens, so no look at it can find it running (as one could with the health check of type process)."""
    (tmp_path / "Procfile").write_text("web: exit 3\n")
    pushed = running("push", "crash", "-p", str(tmp_path), "--no-route")
    assert pushed.status == 1
    unsuccessful = "Start unsuccessful\n\nTIP: use 'cfroute logs crash --recent' for more information\n"
    assert pushed.err.endswith(f"Error starting instances: 'APP/PROC/WEB: Exited with status 3'\n{unsuccessful}")
    assert "\n#0   crashed   " in pushed.out
    assert running("stop", "crash").status == 0
    scaled = running("scale", "crash", "-m", "65M", "-f")
    assert (scaled.status, scaled.err) == (1, unsuccessful)
    assert "\nrequested state:   started\n" in scaled.out
    assert "\nmemory usage:   65M\n" in scaled.out
    assert "\n#0   crashed   " in scaled.out
    assert pushed.out.endswith("\nFAILED\n")
    assert running("delete", "crash", "-f").status == 0


def test_a_route_service_is_bound_in_any_order_of_words(running: Run) -> None:
    assert running("cups", "limiter", "-r", "https://limiter.cf.localhost").status == 0
    assert running("brs", "--hostname", "echo", "cf.localhost", "limiter").status == 0
    [route] = running("routes", "--json").data
    assert route["service_instance"] == "limiter"
    assert running("urs", "cf.localhost", "-f", "limiter", "-n", "echo").status == 0
    assert running("delete-service", "limiter", "-f").status == 0


SHOWS_ITS_SERVICES = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Shown(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["VCAP_SERVICES"].encode())

HTTPServer((os.environ["CF_INSTANCE_INTERNAL_IP"], int(os.environ["PORT"])), Shown).serve_forever()
"""


def test_an_app_finds_the_credentials_that_a_broker_gives(running: Run, broker: str, tmp_path: Path) -> None:
    """And those that a user provides; what was unbound is gone with the next start."""
    (tmp_path / "app.py").write_text(SHOWS_ITS_SERVICES)
    given = '{"user": "u", "sum": 3}'

    def does(*words: str) -> Outcome:
        outcome = running(*words)
        assert outcome.status == 0, outcome
        return outcome

    def seen() -> Any:
        return get(running, "/", "shown.cf.localhost").json()

    does("push", "shown", "-p", str(tmp_path), "-c", "python3 app.py", "--no-start")
    does("create-service-broker", "flow", "broker", "secret", broker)
    does("enable-service-access", "flow-rs")
    does("create-service", "flow-rs", "small", "store", "-t", "fast, route-service")
    does("create-user-provided-service", "own", "-p", given, "-t", "mine", "-l", "syslog://logs.example.com")
    does("bind-service", "shown", "store", "--binding-name", "db", "--wait")
    does("bind-service", "shown", "own")
    does("start", "shown")

    instances = {row["name"]: row["guid"] for row in does("services", "--json").data}
    told = does("env", "shown", "--json").data["system"]["VCAP_SERVICES"]
    assert (list(told), [list(entry) for [entry] in told.values()]) == (["flow-rs", "user-provided"], [FIELDS, OWN_FIELDS])
    [managed], [own] = told["flow-rs"], told["user-provided"]
    assert managed == {
        "label": "flow-rs",
        "provider": None,
        "plan": "small",
        "name": "db",
        "tags": ["route-service", "fast"],
        "instance_guid": instances["store"],
        "instance_name": "store",
        "binding_guid": managed["binding_guid"],
        "binding_name": "db",
        "credentials": {"user": "flow", "password": "p"},
        "syslog_drain_url": None,
        "volume_mounts": [],
    }
    assert own == {
        "label": "user-provided",
        "name": "own",
        "tags": ["mine"],
        "instance_guid": instances["own"],
        "instance_name": "own",
        "binding_guid": own["binding_guid"],
        "binding_name": None,
        "credentials": json.loads(given),
        "syslog_drain_url": "syslog://logs.example.com",
        "volume_mounts": [],
    }
    assert json.dumps(seen()) == json.dumps(told), "the app has the same, in the same order"

    for service in ("store", "own"):
        does("unbind-service", "shown", service, "--wait")
    assert json.dumps(seen()) == json.dumps(told), "what runs keeps its environment"
    does("restart", "shown")
    assert seen() == {}
    does("delete", "shown", "-f", "-r")
    for service in ("store", "own"):
        does("delete-service", service, "-f", "--wait")
    does("delete-service-broker", "flow", "-f")


def test_the_table_shows_apps_by_name(running: Run) -> None:
    rows = running("table", "echo", "--json").data
    assert [(row["route"], row["app_name"], row["index"]) for row in rows] == [
        ("echo.cf.localhost", "echo", "0"),
        ("echo.cf.localhost", "echo", "1"),
    ]
    assert {row["router"] for row in rows} == {"gorouter/0"}
    assert running("table", "nothing-like-it").out == "No routes found.\n"
    assert " echo/1 " in running("table").out


def test_the_watched_table_goes_on_over_a_restart(running: Run, started: Callable[..., "subprocess.Popen[str]"]) -> None:
    watch = started("table", "echo", "--watch", "--json", "--interval", "0.1")
    first = json.loads(read_until(watch, lambda text: True))
    assert (first["change"], first["row"]["app_name"]) == ("appeared", "echo")
    assert running("restart", "gorouter/0").status == 0
    assert running("scale", "echo", "-i", "3").status == 0
    read_until(watch, lambda text: '"appeared"' in text and '"index":"2"' in text)
    assert running("scale", "echo", "-i", "2").status == 0
    read_until(watch, lambda text: '"gone"' in text and '"index":"2"' in text)
    watch.send_signal(signal.SIGTERM)
    assert watch.wait(30) == 143


def test_logs_of_an_app(running: Run, started: Callable[..., "subprocess.Popen[str]"]) -> None:
    recent = running("logs", "echo", "--recent").out
    assert recent.startswith("Retrieving logs for app echo in org local / space dev as admin...\n\n   20")
    assert " [STG/0] OUT " in recent
    assert " [APP/PROC/WEB/1] OUT " in recent
    follow = started("logs", "echo", "--json")
    read_until(follow, lambda text: text.startswith("{"))
    running("restart-app-instance", "echo", "0")
    told = json.loads(read_until(follow, lambda text: '"CELL"' in text and "creating container" in text))
    assert told["kind"] == "OUT"
    follow.send_signal(signal.SIGINT)
    assert follow.wait(30) == 130


def test_names_of_components_come_before_those_of_apps(running: Run) -> None:
    assert '"source":"vcap.gorouter' in running("logs", "gorouter/0", "--recent").out
    restarted = running("restart", "route_emitter/0")
    assert (restarted.status, restarted.out.splitlines()[0]) == (0, "Restarting route_emitter/0...")
    assert running("logs", "nats", "--app", "--recent").err == "App 'nats' not found.\n"
    assert running("restart", "nats", "--app").status == 1


def test_an_app_is_stopped_and_started(running: Run) -> None:
    assert running("stop", "echo").out == "Stopping app echo in org local / space dev as admin...\nOK\n\n"
    assert "There are no running instances of this process.\n" in running("app", "echo").out
    begun = running("start", "echo")
    assert begun.out.startswith("Starting app echo in org local / space dev as admin...\n\nWaiting for app to start...\n\n")
    assert "instances:      2/2\n" in begun.out
    assert running("start", "echo").out.endswith("\n\nApp 'echo' is already started.\nOK\n\n")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("app ec", "echo"),
        ("map-route echo cf.loc", "cf.localhost"),
        ("check-route cf.localhost --hostname e", "echo"),
        ("logs ", "gorouter/0"),
        ("logs e", "echo"),
        ("target -o ", "local"),
        ("table ec", "echo.cf.localhost"),
    ],
)
def test_live_values_are_completed(
    typed: str, expected: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_values, "WITHIN", 5.0)  # what is found counts here, not how loaded the machine is
    monkeypatch.setenv("CFROUTE_HOME", str(folder))
    monkeypatch.setenv(COMPLETION, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"cfroute {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" "))))
    assert main([]) == 0
    assert f"plain,{expected}" in capsys.readouterr().out.splitlines()


def test_a_component_that_is_away_is_named(running: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.0)
    pids = {component["name"]: component["pid"] for component in running("status", "--json").data}
    kept = json.loads((folder / "foundation.json").read_text())
    away = {**kept, "api": "http://127.0.0.1:1"}  # where nothing ever listens
    (folder / "foundation.json").write_text(json.dumps(away))
    try:
        asked = running("apps", "--json")
    finally:
        (folder / "foundation.json").write_text(json.dumps(kept))
    assert (asked.status, asked.error["type"]) == (3, "NotRunning")
    assert asked.error["message"].startswith("cloud_controller does not answer")
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids.values())
