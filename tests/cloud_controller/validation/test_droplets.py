"""Which droplets are good."""

from typing import Any

import pytest

from cfroute.cloud_controller.validation.droplets import copy_problems, create_problems

OF_APP = {"relationships": {"app": {"data": {"guid": "a"}}}}


@pytest.mark.parametrize("types", [None, {}, {"web": ""}, {"web": "start", "worker": "work"}], ids=str)
def test_good_ones(types: object) -> None:
    assert create_problems({**OF_APP, "process_types": types}) == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"nonsense": 1}, "Unknown field(s): 'nonsense'"),
        ({"process_types": ["web"]}, "Process types must be an object"),
        ({"process_types": {"": "start"}}, "Process types key must not be empty"),
        ({"process_types": {"web": None}}, "Process types value must be a string"),
    ],
)
def test_bad_ones(more: dict[str, Any], problem: str) -> None:
    assert create_problems({**OF_APP, **more}) == [problem]


def test_a_copy_has_the_process_types_of_its_source() -> None:
    assert copy_problems(OF_APP) == []
    assert copy_problems({**OF_APP, "process_types": {"web": "start"}}) == ["Unknown field(s): 'process_types'"]
