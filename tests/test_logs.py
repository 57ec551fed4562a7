"""The log of every component."""

import json
from pathlib import Path

import pytest

from cfroute.logs import DEBUG, Logger
from cfroute.testing import ManualClock


def test_a_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    log = Logger("gorouter", DEBUG, clock=ManualClock(5.5)).session("registry")
    log.debug("route-registered", uri="a.test", path=Path("/x"))
    assert json.loads(capsys.readouterr().out) == {
        "log_level": 0,
        "timestamp": 5.5,
        "message": "route-registered",
        "source": "gorouter.registry",
        "data": {"uri": "a.test", "path": "/x"},
    }


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log = Logger("x")
    log.debug("hidden")
    log.warn("shown")
    assert json.loads(capsys.readouterr().out)["message"] == "shown"


def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    kept: list[str] = []

    class Disk:
        full = True

        def write(self, text: str) -> None:
            if self.full:
                raise OSError(28, "No space left on device")
            kept.append(text)

        def flush(self) -> None: ...

    disk = Disk()
    log = Logger("x", stream=disk)
    log.info("lost")
    disk.full = False
    log.info("kept")
    assert [json.loads(line)["message"] for line in kept] == ["kept"]
