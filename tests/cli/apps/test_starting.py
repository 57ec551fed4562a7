"""Waiting for instances: what a person is told meanwhile."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cfroute.cli.access.api import ApiError
from cfroute.cli.apps import scale
from cfroute.cli.apps.starting import NO_PLACE, StartFailed, refusals, wait_for_instances
from cfroute.cli.session import Session
from cfroute.testing.clock import ManualClock

APP = {"guid": "a-1", "name": "web"}
DOWN = {"state": "DOWN", "details": "insufficient resources: memory"}


class Api:
    """An API whose app has one process with these instances; time passes while one sleeps."""

    def __init__(self, *instances: dict[str, str]) -> None:
        self.clock = ManualClock()
        self.instances = instances

    def list(self, _path: str) -> list[dict[str, str]]:
        return [{"guid": "p-1"}]

    def get(self, _path: str) -> dict[str, Any]:
        return {"resources": self.instances}

    def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)


def waited(api: Api) -> list[str]:
    told: list[str] = []
    with pytest.raises(StartFailed, match="Start app timeout"):
        wait_for_instances(cast(Session, SimpleNamespace(api=api, clock=api.clock)), APP, told.append)
    return told


def test_why_no_cell_takes_an_instance_is_told_once() -> None:
    told = waited(Api(DOWN, DOWN))
    assert told[:2] == ["Instances starting...", "Instances starting..."]
    assert [line.splitlines()[0] for line in told if line.startswith(NO_PLACE)] == [f"{NO_PLACE}: {DOWN['details']}"]


def test_an_instance_that_only_takes_its_time_is_reminded_of() -> None:
    assert set(waited(Api({"state": "STARTING"}))) == {"Instances starting..."}


def test_a_process_that_a_deployment_takes_away_meanwhile_is_not_waited_for() -> None:
    class Ending(Api):
        def get(self, path: str) -> dict[str, Any]:
            raise ApiError(404, [{"title": "CF-ResourceNotFound", "detail": "Process not found"}])

    api = Ending()
    told: list[str] = []
    wait_for_instances(cast(Session, SimpleNamespace(api=api, clock=api.clock)), APP, told.append)
    assert told == []


@pytest.mark.parametrize(("state", "shown"), [("CRASHED", 1), ("STARTING", 0)])
def test_scale_shows_what_it_has_come_to_where_all_crash_and_not_where_time_is_over(
    state: str, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api({"state": state})
    told: list[str] = []
    session = SimpleNamespace(api=api, clock=api.clock, is_running=True, say=lambda text="": told.append(text))
    monkeypatch.setattr(scale, "_current", lambda *_: None)
    monkeypatch.setattr(scale, "summary_text", lambda _: "the scale")
    with pytest.raises(StartFailed):
        scale._wait(cast(Session, session), {**APP, "state": "STARTED"})
    assert told.count("the scale") == shown


def test_only_instances_without_a_place_have_a_refusal() -> None:
    assert refusals([[{"state": "CRASHED", "details": "Exit status 1"}], [{"state": "DOWN"}, DOWN]]) == {DOWN["details"]}
