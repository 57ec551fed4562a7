"""A snapshot in Prometheus's text format, version 0.0.4."""

from collections.abc import Iterator, Mapping
from itertools import accumulate, islice
from typing import Final

from cfroute.gorouter.metrics.families import FAMILIES, Family, Kind
from cfroute.gorouter.metrics.snapshot import Distribution, Labels, Snapshot

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HANDLER_ERRORS: Final = Family(
    "promhttp_metric_handler_errors_total", Kind.COUNTER, "errors while the metrics were gathered or written", ("cause",)
)
_PROCESS: Final = (
    Family("process_cpu_seconds_total", Kind.COUNTER, "user and system CPU time in seconds"),
    Family("process_max_fds", Kind.GAUGE, "most file descriptors that may be open"),
    Family("process_open_fds", Kind.GAUGE, "open file descriptors"),
    Family("process_resident_memory_bytes", Kind.GAUGE, "resident memory in bytes"),
    Family("process_start_time_seconds", Kind.GAUGE, "start of the process in seconds of the epoch"),
    Family("process_virtual_memory_bytes", Kind.GAUGE, "virtual memory in bytes"),
    Family("process_virtual_memory_max_bytes", Kind.GAUGE, "most virtual memory that there may be, in bytes"),
    _HANDLER_ERRORS,
)
_LINES: Final = 2000  # a piece: about a millisecond of work


def pieces(snapshot: Snapshot) -> Iterator[bytes]:
    """All families that there is something to show of, sorted by name; in pieces, for there may be a histogram for each app."""
    for family in sorted((*FAMILIES, *_PROCESS)):
        heading = f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind.value}\n"
        lines = _process(family, snapshot.process) if family in _PROCESS else _samples(family, snapshot)
        while chunk := "".join(islice(lines, _LINES)):
            yield (heading + chunk).encode("utf-8", "surrogateescape")
            heading = ""


def _samples(family: Family, snapshot: Snapshot) -> Iterator[str]:
    name = family.name
    if family.kind is Kind.GAUGE:
        return iter([_line(name, "", snapshot.gauges.get(name, 0.0))])
    if family.kind is Kind.COUNTER:
        counts = sorted(snapshot.counters.get(name, {}).items())
        return (_line(name, _pairs(family, labels), count) for labels, count in counts)
    return _histograms(family, snapshot.histograms.get(name, {}), snapshot.bounds.get(name, []))


def _process(family: Family, figures: Mapping[str, float]) -> Iterator[str]:
    if family is _HANDLER_ERRORS:
        return (_line(family.name, _pairs(family, (cause,)), 0) for cause in ("encoding", "gathering"))
    return iter([_line(family.name, "", figures[family.name])] if family.name in figures else [])


def _histograms(family: Family, seen: Mapping[Labels, Distribution], bounds: list[float]) -> Iterator[str]:
    limits = [*map(_number, bounds), "+Inf"]
    for labels, distribution in sorted(seen.items(), key=lambda item: item[0]):
        pairs = _pairs(family, labels)
        comma = "," if pairs else ""
        total = 0
        for limit, total in zip(limits, accumulate(distribution.counts), strict=True):
            yield _line(f"{family.name}_bucket", f'{pairs}{comma}le="{limit}"', total)
        yield _line(f"{family.name}_sum", pairs, distribution.sum)
        yield _line(f"{family.name}_count", pairs, total)


def _line(name: str, pairs: str, value: float) -> str:
    return f"{name}{{{pairs}}} {_number(value)}\n" if pairs else f"{name} {_number(value)}\n"


def _pairs(family: Family, labels: Labels) -> str:
    named = zip(family.labels, labels, strict=True)
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in named)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
