"""The API's benchmark, run shortly."""

from pathlib import Path

import pytest

from . import api, report
from .machine import NotInstalledError, free_ports, program
from .report import Report


def test_a_short_run(tmp_path: Path) -> None:
    try:
        program("wrk")
    except NotInstalledError as missing:
        pytest.skip(str(missing))
    figures = api.measure([program("cfroute")], tmp_path / "state", free_ports(), 1, routes=110)
    assert figures.writes > 0
    assert all(each.rate > 0 for each in figures.reads.values())
    title, _, *lines = report.alone(Report(api=figures))
    assert title == "the API, with 110 routes"
    assert [line.split("  ")[1] for line in lines[:-1]] == ["POST a route", *figures.reads]
    assert report.as_json(Report(api=figures))["api"]["routes"] == 110
    assert "API: writes/s" in "\n".join(report.reach(Report(api=figures)))
