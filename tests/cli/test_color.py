"""Colour: on a terminal only, unless the environment says otherwise."""

import pytest

from cfroute.cli.session import wants_color


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"TERM": "dumb"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"CF_COLOR": "false"}, False),
        ({"CF_COLOR": "true", "NO_COLOR": "1"}, True),
    ],
)
def test_who_decides_about_colour(environment: dict[str, str], wanted: bool | None) -> None:
    assert wants_color(environment) is wanted
