"""Which deployments are good."""

from typing import Any

import pytest

from cfroute.cloud_controller.validation.deployments import create_problems

WEIGHT = "Options canary steps instance weight must be an Integer between 1-100 (inclusive)"


def canary(steps: Any) -> dict[str, Any]:
    return {"strategy": "canary", "options": {"canary": {"steps": steps}}}


def weights(*values: Any) -> dict[str, Any]:
    return canary([{"instance_weight": value} for value in values])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"droplet": {"guid": "d"}, "options": None},
        {"revision": {"guid": "r"}, "droplet": None},
        {"strategy": "rolling", "options": {"max_in_flight": 3, "web_instances": 0, "log_rate_limit_in_bytes_per_second": -1}},
        {"strategy": "canary"},
        {"strategy": "canary", "options": {"canary": {}}},
        weights(1, 1, 100),
        canary([]),
    ],
)
def test_good_ones(body: dict[str, Any]) -> None:
    assert create_problems(body) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"nonsense": 1}, "Unknown field(s): 'nonsense'"),
        ({"strategy": "blue"}, "Strategy 'blue' is not a supported deployment strategy"),
        ({"droplet": {"guid": "d"}, "revision": {"guid": "r"}}, "Droplet Cannot set both fields 'droplet' and 'revision'"),
        ({"droplet": "d"}, "Droplet must be an object with a guid"),
        ({"revision": {"guid": 1}}, "Revision must be an object with a guid"),
        ({"options": [1]}, "Options must be an object"),
        ({"options": {"a": 1, "b": 2}}, "Options has unsupported key(s): a, b"),
        ({"options": {"max_in_flight": 0}}, "Max in flight must be an integer greater than 0"),
        ({"options": {"max_in_flight": "1"}}, "Max in flight must be an integer greater than 0"),
        ({"options": {"memory_in_mb": 256.0}}, "Memory in mb must be an integer"),
        ({"options": {"max_in_flight": True}}, "Max in flight must be an integer greater than 0"),
        ({"options": {"web_instances": -1}}, "Web instances must be greater than or equal to 0"),
        ({"options": {"memory_in_mb": 0}}, "Memory in mb must be greater than 0"),
        ({"options": {"canary": {}}}, "Options canary are only valid for Canary deployments"),
        ({"strategy": "canary", "options": {"canary": 1}}, "Options canary must be an object"),
        (canary({}), "Options canary steps must be an array of objects"),
        (canary([1]), "Options canary steps must be an array of objects"),
        (canary([{"instance_weight": 1, "x": 1}]), "Options canary steps has unsupported key(s): x"),
        (weights(0), WEIGHT),
        (weights(101), WEIGHT),
        (weights(1.5), WEIGHT),
        (weights(50, 20), "Options canary steps instance weight must be sorted in ascending order"),
        ({"metadata": {"labels": 1}}, "Metadata 'labels' must be an object"),
    ],
)
def test_bad_ones(body: dict[str, Any], problem: str) -> None:
    assert create_problems(body) == [problem]


def test_a_step_without_a_weight_is_told_twice() -> None:
    assert create_problems(canary([{}])) == ['Options canary steps missing key: "instance_weight"', WEIGHT]
