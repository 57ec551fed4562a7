"""A snapshot in Prometheus's text format, version 0.0.4."""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from cfroute.gorouter.metrics.families import FAMILIES, Family, Kind
from cfroute.gorouter.metrics.snapshot import Distribution, Labels, Snapshot

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_PROCESS: Final = (
    Family("process_cpu_seconds_total", Kind.COUNTER, "user and system CPU time in seconds"),
    Family("process_max_fds", Kind.GAUGE, "most file descriptors that may be open"),
    Family("process_open_fds", Kind.GAUGE, "open file descriptors"),
    Family("process_resident_memory_bytes", Kind.GAUGE, "resident memory in bytes"),
    Family("process_start_time_seconds", Kind.GAUGE, "start of the process in seconds of the epoch"),
    Family("process_virtual_memory_bytes", Kind.GAUGE, "virtual memory in bytes"),
    Family("process_virtual_memory_max_bytes", Kind.GAUGE, "most virtual memory that there may be, in bytes"),
)
_HANDLER_ERRORS: Final = (
    "# HELP promhttp_metric_handler_errors_total errors while the metrics were gathered or written\n"
    "# TYPE promhttp_metric_handler_errors_total counter\n"
    'promhttp_metric_handler_errors_total{cause="encoding"} 0\n'
    'promhttp_metric_handler_errors_total{cause="gathering"} 0\n'
)


def text(snapshot: Snapshot) -> bytes:
    """All families that there is something to show of, sorted by name."""
    blocks = [(family.name, _block(family, snapshot)) for family in FAMILIES]
    blocks += [(family.name, _process(family, snapshot.process)) for family in _PROCESS]
    blocks.append(("promhttp_metric_handler_errors_total", _HANDLER_ERRORS))
    return "".join(block for _, block in sorted(blocks)).encode("utf-8", "surrogateescape")


def _block(family: Family, snapshot: Snapshot) -> str:
    name = family.name
    if family.kind is Kind.GAUGE:
        lines = [_line(name, "", snapshot.gauges.get(name, 0.0))]
    elif family.kind is Kind.COUNTER:
        lines = [_line(name, _pairs(family, labels), count) for labels, count in sorted(snapshot.counters.get(name, {}).items())]
    else:
        lines = list(_histograms(family, snapshot.histograms.get(name, {}), snapshot.bounds.get(name, [])))
    return _described(family, lines)


def _process(family: Family, figures: Mapping[str, float]) -> str:
    return _described(family, [_line(family.name, "", figures[family.name])] if family.name in figures else [])


def _described(family: Family, lines: list[str]) -> str:
    """The lines under their heading; nothing without lines."""
    if not lines:
        return ""
    return f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind.value}\n" + "".join(lines)


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
