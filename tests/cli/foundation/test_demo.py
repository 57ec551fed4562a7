"""The demo, on a foundation that it starts and takes down itself."""

import pytest

from cfroute.cli.foundation import demo_steps

from ..conftest import Run

pytestmark = pytest.mark.e2e


def test_every_step_of_the_tutorial_is_verified(cfroute: Run) -> None:
    played = cfroute("demo", "--json")
    assert played.status == 0, played.err
    assert [step["step"] for step in played.data] == [step.title for step in demo_steps.STEPS]
    assert all(step["passed"] and step["verified"] for step in played.data)
    assert played.err == ""
