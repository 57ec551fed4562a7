"""New versions of an app, with a gap and without, and the way back: against a real foundation."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Run

pytestmark = pytest.mark.e2e

UP = ("--tcp-routers", "0")
PUSHED = ("web", "--sample", "echo", "-i", "2", "--app-start-timeout", "30")

DEADLINE = 30.0  # seconds

NAMES = {
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "GUID",
    r"[A-Z][a-z]{2} \d\d [A-Z][a-z]{2} \d\d:\d\d:\d\d \S+ \d{4}": "DATE",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ": "TIME",
    r"(Instances starting...\n)+": "",
}


def shown(text: str) -> str:
    """A text without what is different each time."""
    for pattern, name in NAMES.items():
        text = re.sub(pattern, name, text)
    return text


@pytest.fixture(autouse=True)
def settled(running: Run) -> None:
    """No deployment is left over from another test."""
    _until_settled(running)


def _until_settled(running: Run) -> None:
    end = time.monotonic() + DEADLINE
    while running("app", "web", "--json").data["deployment"] is not None:
        assert time.monotonic() < end


@contextlib.contextmanager
def traffic(running: Run) -> Iterator[list[int | str]]:
    """Asks the app without end while the block runs; what came back."""
    base = running("info", "--json").data["http"]
    answers: list[int | str] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(headers={"Host": "web.cf.localhost"}, timeout=30, trust_env=False) as client:
            while not over.is_set():
                try:
                    answers.append(client.get(base).status_code)
                except httpx.TransportError as error:
                    answers.append(repr(error))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()


def instances(running: Run, app: str = "web") -> list[list[str]]:
    """The states of the instances of each process."""
    processes = running("app", app, "--json").data["processes"]
    return [[instance["state"] for instance in process["instances"]] for process in processes]


def deployed(running: Run) -> list[int]:
    return [each["version"] for each in running("revisions", "web", "--json").data if each["deployed"]]


def test_a_rolling_restart_loses_no_request(running: Run) -> None:
    with traffic(running) as answers:
        restarted = running("restart", "web", "--strategy", "rolling", "--max-in-flight", "2")
    assert restarted.status == 0, restarted.err
    assert shown(restarted.out).startswith(
        "Restarting app web in org local / space dev as admin...\n\n"
        "Creating deployment for app web...\n\n"
        "Waiting for app to deploy...\n\n\n"
        "name:              web\nrequested state:   started\n"
    )
    assert "instances:      2/2\n" in restarted.out
    assert "Active deployment" not in restarted.out
    assert answers
    assert set(answers) == {200}


def test_a_canary_waits_for_a_person(running: Run) -> None:
    pushed = running("push", "web", "--sample", "echo", "-i", "2", "--strategy", "canary", "--instance-steps", "50,100")
    assert pushed.status == 0, pushed.err
    assert "\n\nStarting deployment for app web...\nWaiting for app to deploy...\n\n\nname:              web\n" in pushed.out
    paused = (
        "\n\nActive deployment with status PAUSED (since DATE)\n"
        "strategy:        canary\nmax-in-flight:   1\ncanary-steps:    {}/2\n\n"
        "Please run `cfroute continue-deployment web` to promote the canary deployment, "
        "or `cfroute cancel-deployment web` to rollback to the previous version.\n"
    )
    assert shown(pushed.out).endswith(paused.format(1))
    assert instances(running) == [["running", "running"], ["running"]]
    assert shown(running("app", "web").out).endswith(paused.format(1))
    tip = "\nTIP: Run 'cfroute app web' to view app status.\n"
    continued = running("continue-deployment", "web")
    assert shown(continued.out).startswith(
        "Continuing deployment for app web in org local / space dev as admin...\n\nWaiting for app to deploy...\n\n\nname: "
    )
    assert shown(continued.out).endswith(paused.format(2) + tip)
    assert running("continue-deployment", "web").out.endswith(tip)
    assert instances(running) == [["running", "running"]]
    assert running("app", "web", "--json").data["deployment"] is None


def test_a_deployment_can_be_taken_back(running: Run) -> None:
    before = deployed(running)
    assert running("push", "web", "--sample", "echo", "-i", "2", "--strategy", "canary").status == 0
    canceled = running("cancel-deployment", "web")
    assert canceled.out == (
        "Canceling deployment for app web in org local / space dev as admin...\n"
        "OK\n\nTIP: Run 'cfroute app web' to view app status.\n"
    )
    _until_settled(running)
    assert deployed(running) == before
    again = running("cancel-deployment", "web")
    assert (again.status, again.err) == (1, "No active deployment found for app.\n")


def test_what_was_can_be_deployed_again(running: Run) -> None:
    running("restart", "web")
    [first] = deployed(running)
    running("set-env", "web", "COLOR", "blue")
    assert running("restart", "web", "--strategy", "rolling").status == 0
    [second] = deployed(running)
    assert second > first
    listed = shown(running("revisions", "web").out)
    head = "Getting revisions for app web in org local / space dev as admin...\n\nrevision"
    assert listed.startswith(head)
    assert f"\n{second}(deployed)   New environment variables deployed." in listed
    details = shown(running("revision", "web").out)
    assert details.endswith("application environment variables:\nCOLOR:   blue\n\n")
    refused = running("rollback", "web", "--version", str(first), typed="n\n")
    assert refused.out == (
        f"Rolling 'web' back to revision '{first}' will create a new revision. The new revision will use the settings from "
        f"revision '{first}'.\nAre you sure you want to continue? [yN]: n\n"
        f"App 'web' has not been rolled back to revision '{first}'.\n"
    )
    back = running("rollback", "web", "--version", str(first), "-f")
    assert shown(back.out).startswith(
        f"Rolling back to revision {first} for app web in org local / space dev as admin...\n"
        "Creating deployment for app web...\n\nWaiting for app to deploy...\n\n\nname: "
    )
    assert back.out.endswith("\nOK\n\n")
    assert running("env", "web", "--json").data["user"] == {}
    missing = running("rollback", "web", "--version", "999", "-f")
    assert (missing.status, missing.err) == (1, "Revision '999' not found\n")


def test_a_restage_may_go_on_by_itself(running: Run) -> None:
    restaged = running("restage", "web", "--strategy", "rolling", "--no-wait")
    assert restaged.status == 0, restaged.err
    assert restaged.err == ""
    assert shown(restaged.out).startswith("\nRestaging app web in org local / space dev as admin...\n\nStaging app and tracing")
    assert shown(restaged.out).endswith(
        "\n\nCreating deployment for app web...\n\nWaiting for app to deploy...\n\n\n"
        "First instance restaged correctly, restaging remaining in the background\n"
    )


def test_a_version_that_ends_at_once_takes_no_place(running: Run, tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: exit 3\n")
    pushed = running("push", "web", "-p", str(tmp_path), "-i", "2", "--no-manifest", "--strategy", "rolling", "--no-wait")
    assert pushed.status == 1
    assert pushed.err.endswith(
        "Error starting instances: 'APP/PROC/WEB: Exited with status 3'\n"
        "Start unsuccessful\n\nTIP: use 'cfroute logs web --recent' for more information\n"
    )
    assert instances(running)[0] == ["running", "running"]
    assert running("cancel-deployment", "web").status == 0


def test_a_droplet_is_taken_elsewhere(running: Run, tmp_path: Path) -> None:
    droplet = tmp_path / "droplet.tgz"
    assert running("download-droplet", "web", "--path", str(droplet)).out.endswith(
        f"Droplet downloaded successfully at {droplet}\nOK\n\n"
    )
    pushed = running("push", "elsewhere", "--droplet", str(droplet), "-m", "64M")
    assert pushed.status == 0, pushed.err
    assert pushed.out.startswith(
        "Pushing app elsewhere to org local / space dev as admin...\n"
        "Uploading droplet bits...\n\n\nWaiting for API to complete processing files...\n\n"
        "Waiting for app elsewhere to start...\n\n\nname:              elsewhere\n"
    )
    assert instances(running, "elsewhere") == [["running"]]
    assert running("delete", "elsewhere", "-f", "-r").status == 0


def test_the_steps_of_a_push_one_by_one(running: Run, tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: python3 -m http.server $PORT\nworker: sleep 1000\n")
    running("create-app", "parts")
    assert running("create-package", "parts", "-p", str(tmp_path)).status == 0
    staged = running("stage-package", "parts")
    assert shown(staged.out).startswith("Staging package for parts in org local / space dev as admin...\n   Cell ")
    assert shown(staged.out).endswith("\n\nPackage staged\ndroplet guid:   GUID\nstate:          staged\ncreated:        DATE\n")
    [droplet] = running("droplets", "parts", "--json").data
    assert running("set-droplet", "parts", droplet["guid"]).out.endswith("OK\n\n")
    assert shown(running("droplets", "parts").out).endswith("(current)   staged   DATE\n")
    assert running("start", "parts").status == 0
    assert running("scale", "parts", "--process", "worker", "-i", "2").status == 0
    assert instances(running, "parts") == [["running"], ["running", "running"]]
    [row] = [row for row in running("apps", "--json").data if row["name"] == "parts"]
    assert row["processes"] == [
        {"type": "web", "running": 1, "instances": 1},
        {"type": "worker", "running": 2, "instances": 2},
    ]
    running("create-app", "twin")
    copied = running("copy-source", "parts", "twin")
    assert shown(copied.out).startswith(
        "Copying source from app parts to target app twin in org local / space dev as admin...\nStaging app and tracing logs...\n"
    )
    assert "\n\nRestarting app twin in org local / space dev as admin...\n\nWaiting for app to start...\n\n" in copied.out
    assert running("create-package", "twin", "-p", str(tmp_path)).status == 0
    restarted = running("restart", "twin").out
    announced = "Restarting app twin in org local / space dev as admin...\n\n"
    assert restarted.startswith(f"{announced}Staging app and tracing logs...\n")
    assert f"\n\n{announced}Stopping app...\n\nWaiting for app to start...\n\n" in restarted
    for app in ("parts", "twin"):
        assert running("delete", app, "-f").status == 0


def test_what_was_done_to_an_app_is_told(running: Run) -> None:
    told = running("events", "web")
    lines = told.out.splitlines()
    assert lines[0] == "Getting events for app web in org local / space dev as admin..."
    assert re.fullmatch(r"time +event +actor +description", lines[1])
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d[+-]\d{4}"
    assert all(re.fullmatch(rf"{stamp}   audit\.\S+ +admin .*", line) for line in lines[2:])
    events: list[dict[str, Any]] = running("events", "web", "--json").data
    assert {"audit.app.create", "audit.app.build.create"} <= {event["event"] for event in events}
