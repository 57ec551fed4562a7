"""`cfroute docs metrics` names every metric, with its labels, and no other."""

import re
from importlib import resources

from cfroute.gorouter.metrics.families import FAMILIES

TOPIC = resources.files("cfroute").joinpath("docs", "metrics.md").read_text(encoding="utf-8")


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_metric_is_documented() -> None:
    rows = [line.split("|") for line in TOPIC.splitlines() if line.startswith("| `")]
    told = {name: tuple(names(row[2])) for row in rows for name in names(row[1])}
    assert told == {family.name: family.labels for family in FAMILIES}
