"""A strict reader of Prometheus's text format: what a scraper might overlook is an error here."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf|NaN)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
Labels = frozenset[tuple[str, str]]


class Metrics(dict[tuple[str, Labels], float]):
    """The samples of a page; `kinds` has the types of the families."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[str, str] = {}

    def value(self, name: str, **labels: str) -> float:
        """That sample; 0 if it is not there, as a counter that was not used yet."""
        return self.get((name, frozenset(labels.items())), 0.0)

    def series(self, name: str) -> list[dict[str, str]]:
        """The labels of all samples with that name."""
        return [dict(labels) for sample, labels in self if sample == name]


def parse(page: str) -> Metrics:
    """The samples of a page; fails where it is not in the format."""
    assert page.endswith("\n")
    metrics = Metrics()
    family = kind = ""
    described = ""
    for line in page.splitlines():
        if line.startswith("# HELP "):
            _, _, described, text = line.split(" ", 3)
            assert text
            assert described not in metrics.kinds, f"{described} is described twice"
        elif line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family == described, "help stands before the type, and belongs to it"
            assert kind in ("counter", "gauge", "histogram")
            metrics.kinds[family] = kind
        else:
            name, labels, value = _sample(line)
            assert name in _names(family, kind), f"{name} stands under {family}"
            assert (name, labels) not in metrics, f"{line} is there twice"
            metrics[name, labels] = value
    for name, kind in metrics.kinds.items():
        if kind == "histogram":
            _check_histogram(metrics, name)
        elif kind == "counter":
            assert all(value >= 0 for (sample, _), value in metrics.items() if sample == name)
    return metrics


def _sample(line: str) -> tuple[str, Labels, float]:
    match = SAMPLE.fullmatch(line)
    assert match, f"not a sample: {line!r}"
    pairs = re.findall(LABEL, match[2] or "")
    assert len(dict(pairs)) == len(pairs)
    labels = frozenset((name, re.sub(r"\\.", lambda found: ESCAPES[found[0]], value)) for name, value in pairs)
    return match[1], labels, float(match[match.lastindex or 0])


def _names(family: str, kind: str) -> tuple[str, ...]:
    return (f"{family}_bucket", f"{family}_sum", f"{family}_count") if kind == "histogram" else (family,)


def _check_histogram(metrics: Metrics, name: str) -> None:
    buckets: dict[Labels, list[tuple[float, float]]] = {}
    for (sample, labels), value in metrics.items():
        if sample == f"{name}_bucket":
            bound = dict(labels)["le"]
            rest = frozenset(pair for pair in labels if pair[0] != "le")
            buckets.setdefault(rest, []).append((float(bound.replace("+", "")), value))
    assert buckets.keys() == {labels for sample, labels in metrics if sample == f"{name}_count"}
    assert buckets.keys() == {labels for sample, labels in metrics if sample == f"{name}_sum"}
    for labels, found in buckets.items():
        assert found == sorted(found), f"{name}: bounds and counts go up"
        assert len({bound for bound, _ in found}) == len(found)
        assert found[-1] == (float("inf"), metrics[f"{name}_count", labels])
