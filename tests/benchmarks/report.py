"""The figures as tables with ratios, as JSON, and beside what the project wants to reach."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .api import ApiFigures
from .cases import Case, Result
from .foundation import Figures
from .router import Intake
from .tcp import CONNECTIONS, Footprint

REFERENCES = ("nginx", "haproxy", "envoy")
SATURATED = 0.9  # of its core: a contender below this could have done more


@dataclass
class Report:
    """Everything that one run has shown."""

    versions: dict[str, str] = field(default_factory=dict)
    cases: dict[Case, list[Result]] = field(default_factory=dict)
    intake: Intake | None = None
    foundation: Figures | None = None
    api: ApiFigures | None = None
    footprints: dict[str, Footprint] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def result(self, case: str, contender: str) -> tuple[Case, Result] | None:
        """What a contender showed in a case, or None when it was not measured."""
        for measured, results in self.cases.items():
            for result in results:
                if (measured.name, result.contender) == (case, contender):
                    return measured, result
        return None

    def ratio(self, case: str, contender: str, reference: str) -> float | None:
        """How many times the reference's figure the contender's is."""
        mine, other = self.result(case, contender), self.result(case, reference)
        if mine is None or other is None:
            return None
        return mine[1].median(mine[0].value) / other[1].median(other[0].value)

    def held_mb(self, contender: str) -> float | None:
        """What a relay held with all its connections."""
        return self.footprints[contender].full_mb if contender in self.footprints else None

    def cpu_ratio(self, case: str, contender: str, reference: str) -> float | None:
        """The same by CPU time: how many requests the contender answers in the time that the reference spends on one."""
        mine, other = self.result(case, contender), self.result(case, reference)
        if not mine or not other or not mine[1].cpu_us or not other[1].cpu_us:
            return None
        return other[1].cpu_us / mine[1].cpu_us


def table(case: Case, results: Sequence[Result]) -> list[str]:
    """The lines of one case: figures, and the ratio to each reference that took part."""
    values = {result.contender: result.median(case.value) for result in results}
    references = [name for name in REFERENCES if name in values]
    header = ["", case.unit, "p50 ms", "p99 ms", "core", "µs/request", *(f"of {name}" for name in references)]
    rows = [header]
    for result in results:
        figures = [
            _number(values[result.contender]),
            f"{result.median(lambda s: s.p50_ms):.2f}",
            f"{result.median(lambda s: s.p99_ms):.2f}",
            "" if result.cpu_share is None else f"{result.cpu_share:.0%}",
            "" if result.cpu_us is None else f"{result.cpu_us:.1f}",
        ]
        ratios = [f"{values[result.contender] / values[name]:.2f}" if values[name] else "" for name in references]
        rows.append([result.contender, *figures, *ratios])
    complaints = [f"  {r.contender}: {r.errors} requests failed" for r in results if r.errors]
    proxies = [r for r in results if r.contender != "direct"]
    idle = [r.contender for r in proxies if r.cpu_share is not None and r.cpu_share < SATURATED]
    if idle:
        complaints.append(f"  {', '.join(idle)}: held up by the load generator or other programs; compare µs/request")
    return [case.title, *_aligned(rows), *complaints]


def alone(report: Report) -> list[str]:
    """The lines on what is no case with a load: most of it is cfroute alone."""
    lines = []
    if report.intake:
        intake = report.intake
        memory = f", {intake.memory_mb:.0f} MB (empty: {intake.empty_memory_mb:.0f} MB)" if intake.memory_mb else ""
        lines.append(f"{intake.routes} registrations taken in within {intake.seconds:.2f} s{memory}")
    for name, held in report.footprints.items():
        lines.append(f"{name} with {CONNECTIONS} TCP connections: {held.full_mb:.0f} MB (empty: {held.empty_mb:.0f} MB)")
    if report.foundation:
        up = report.foundation
        memory = f", {up.memory_mb:.0f} MB together (PSS)" if up.memory_mb else ""
        lines.append(f"cfroute up: ready after {up.seconds:.2f} s (the first time {up.first_seconds:.2f} s)")
        lines.append(f"the foundation: {up.processes} processes{memory}")
    return [*lines, *(_of_the_api(report.api) if report.api else [])]


def _of_the_api(api: ApiFigures) -> list[str]:
    rows = [["", "requests/s", "p99 ms", "µs/request"], ["POST a route", _number(api.writes), "", _known(api.write_cpu_us)]]
    rows += [[kind, _number(each.rate), f"{each.p99_ms:.1f}", _known(each.cpu_us)] for kind, each in api.reads.items()]
    memory = f"; {api.memory_mb:.0f} MB" if api.memory_mb else ""
    pages = f"all pages within {api.pages_seconds:.2f} s, the last ones in {api.slope:.2f} times the time of the first"
    return [f"the API, with {api.routes} routes", *_aligned(rows), f"  {pages}; 5000 on one in {api.large_seconds:.2f} s{memory}"]


def _known(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


@dataclass(frozen=True)
class Goal:
    """A figure that the project wants to reach: at least, or at most, the bound."""

    name: str
    value: Callable[[Report], float | None]
    bound: float
    at_least: bool = True
    by_cpu_time: Callable[[Report], float | None] = lambda report: None

    def line(self, report: Report) -> list[str]:
        """The cells of its line, or nothing when it was not measured."""
        value, by_cpu_time = self.value(report), self.by_cpu_time(report)
        if value is None:
            return []
        reached = value >= self.bound if self.at_least else value <= self.bound
        bound = f"{'≥' if self.at_least else '≤'} {self.bound:g}"
        verdict = "reached" if reached else "NOT reached"
        return [self.name, _number(value), bound, verdict, "" if by_cpu_time is None else f"by CPU time {by_cpu_time:.2f}"]


def _times(name: str, case: str, reference: str, bound: float) -> Goal:
    """To be so many times as fast as another in a case."""
    return Goal(
        name,
        lambda report: report.ratio(case, "cfroute", reference),
        bound,
        by_cpu_time=lambda report: report.cpu_ratio(case, "cfroute", reference),
    )


GOALS = (
    _times("requests/s, of one-thread Envoy", "small", "envoy", 1.2),
    _times("requests/s, of nginx", "small", "nginx", 0.5),
    _times("requests/s with 100000 routes, of one", "small", "cfroute-1", 0.95),
    _times("10 MB bodies, of HAProxy", "large", "haproxy", 0.8),
    _times("connections/s, of nginx", "connections", "nginx", 0.5),
    _times("TCP requests/s, of HAProxy", "tcp-small", "haproxy", 1.0),
    _times("TCP bytes/s, of HAProxy", "tcp-large", "haproxy", 1.0),
    _times("TCP connections/s, of HAProxy", "tcp-connections", "haproxy", 0.5),
    Goal("5000 TCP connections, MB", lambda r: r.held_mb("cfroute"), 200, at_least=False),
    Goal("100000 registrations, s", lambda r: r.intake.seconds if r.intake else None, 5, at_least=False),
    Goal("100000 registrations, MB", lambda r: r.intake.memory_mb if r.intake else None, 300, at_least=False),
    Goal("cfroute up, s", lambda r: r.foundation.seconds if r.foundation else None, 1.5, at_least=False),
    Goal("API: reads/s of a route", lambda r: r.api.reads["route"].rate if r.api else None, 2000),
    Goal("API: writes/s", lambda r: r.api.writes if r.api else None, 200),
    Goal("API: last pages to first", lambda r: r.api.slope if r.api else None, 1.5, at_least=False),
    Goal("API: 5000 routes, s", lambda r: r.api.large_seconds if r.api else None, 2, at_least=False),
    Goal("foundation, MB", lambda r: r.foundation.memory_mb if r.foundation else None, 200, at_least=False),
)


def reach(report: Report) -> list[str]:
    """What the project wants to reach, and whether this run did."""
    rows = [line for goal in GOALS if (line := goal.line(report))]
    return ["reach", *_aligned(rows)] if rows else []


def as_json(report: Report) -> dict[str, Any]:
    """The run as data: medians and every sample."""
    return {
        "versions": report.versions,
        "cases": {case.name: _case_json(case, results) for case, results in report.cases.items()},
        "intake": asdict(report.intake) if report.intake else None,
        "foundation": asdict(report.foundation) if report.foundation else None,
        "api": asdict(report.api) if report.api else None,
        "tcp_memory": {name: asdict(held) for name, held in report.footprints.items()},
        "left_out": report.left_out,
        "failures": report.failures,
    }


def _case_json(case: Case, results: Sequence[Result]) -> Mapping[str, Any]:
    contenders = {
        result.contender: {
            "median": result.median(case.value),
            "cpu_us_per_request": result.cpu_us,
            "samples": [asdict(sample) for sample in result.samples],
        }
        for result in results
    }
    return {"title": case.title, "unit": case.unit, "contenders": contenders}


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(["", name.ljust(first), *map(str.rjust, cells, others)]).rstrip() for name, *cells in rows]
