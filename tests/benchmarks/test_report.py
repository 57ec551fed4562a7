"""The benchmark's arithmetic and tables; the figures here are made up."""

import pytest

from . import registrations, report
from .cases import CASES, Result
from .load import Sample
from .report import GOALS, Report

SMALL = CASES[0]


def sample(requests: int, *, errors: int = 0, cpu_seconds: float | None = 1.0) -> Sample:
    return Sample(requests, 1.0, requests * 100, 1.0, 2.0, errors, cpu_seconds)


def result(name: str, *rates: int, errors: int = 0) -> Result:
    return Result(name, tuple(sample(rate, errors=errors) for rate in rates))


def measured(*results: Result) -> Report:
    return Report(cases={SMALL: list(results)})


def test_the_median_of_the_rounds_counts() -> None:
    run = measured(result("nginx", 1000, 10, 1100), result("cfroute", 700, 900, 800))
    assert run.ratio("small", "cfroute", "nginx") == 0.8


def test_cpu_time_is_compared_a_request() -> None:
    run = measured(Result("nginx", (sample(1000, cpu_seconds=0.1),)), Result("cfroute", (sample(500, cpu_seconds=0.1),)))
    assert run.cpu_ratio("small", "cfroute", "nginx") == pytest.approx(0.5)


def test_what_was_not_measured_has_no_ratio() -> None:
    run = measured(result("cfroute", 5))
    assert run.ratio("small", "cfroute", "envoy") is None
    assert run.cpu_ratio("small", "cfroute", "envoy") is None


def test_the_table_has_a_ratio_to_each_reference_that_took_part() -> None:
    lines = report.table(SMALL, [result("envoy", 500), result("cfroute", 750)])
    assert lines[0] == SMALL.title
    assert lines[1].split()[-2:] == ["of", "envoy"]
    assert lines[3].split() == ["cfroute", "750", "1.00", "2.00", "100%", "1333.3", "1.50"]


def test_failed_requests_are_not_hidden() -> None:
    assert report.table(SMALL, [result("cfroute", 750, errors=3)])[-1] == "  cfroute: 3 requests failed"


def test_a_contender_that_was_not_at_its_limit_is_named() -> None:
    idle = Result("nginx", (sample(9000, cpu_seconds=0.5),))
    assert "nginx" in report.table(SMALL, [idle])[-1]


def test_only_measured_goals_are_judged() -> None:
    run = measured(result("envoy", 1000), result("cfroute", 1300))
    lines = report.reach(run)
    assert len(lines) == 2
    assert lines[1].endswith("1.30  ≥ 1.2  reached  by CPU time 1.30")
    assert any(goal.value(run) is None for goal in GOALS)


def test_registrations_look_like_an_emitters() -> None:
    message = registrations.registration(50_000, 8080)
    assert message["uris"] == ["r50000.bench.local"]
    assert message["app"] == "00000000-0000-0000-0000-00000000c350"
