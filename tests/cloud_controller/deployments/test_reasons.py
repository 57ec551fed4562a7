"""Why there is a new revision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.deployments.instances import instances, problem
from cfroute.cloud_controller.deployments.reasons import Content, reasons, rolled_back
from cfroute.diego.api import ActualLRP

BEFORE = Content("d1", {"A": "1"}, {"web": None})


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE, []),
        (BEFORE._replace(droplet_guid="d2"), ["New droplet deployed."]),
        (BEFORE._replace(environment={}), ["New environment variables deployed."]),
        (BEFORE._replace(commands={"web": "run"}), ["Custom start command added for 'web' process."]),
        (BEFORE._replace(commands={"web": None, "job": None}), ["New process type 'job' added."]),
        (BEFORE._replace(commands={}), ["Process type 'web' removed."]),
        (
            Content("d2", {}, {"web": "run"}),
            [
                "Custom start command added for 'web' process.",
                "New droplet deployed.",
                "New environment variables deployed.",
            ],
        ),
    ],
)
def test_what_has_changed(after: Content, expected: list[str]) -> None:
    assert reasons(BEFORE, after) == expected


def test_commands_that_were_there() -> None:
    before = BEFORE._replace(commands={"web": "run"})
    assert reasons(before, BEFORE) == ["Custom start command removed for 'web' process."]
    assert reasons(before, BEFORE._replace(commands={"web": "walk"})) == ["Custom start command updated for 'web' process."]


def test_a_rollback_says_where_to() -> None:
    told = rolled_back(BEFORE, BEFORE._replace(droplet_guid="d0"), 1)
    assert told == "New droplet deployed. Rolled back to revision 1."


contents = st.builds(
    Content,
    st.sampled_from("ab"),
    st.dictionaries(st.sampled_from("AB"), st.sampled_from("12")),
    st.dictionaries(st.sampled_from(["web", "job"]), st.none() | st.sampled_from(["run", "walk"])),
)


@given(contents, contents)
def test_there_is_a_reason_exactly_when_something_differs(before: Content, after: Content) -> None:
    assert bool(reasons(before, after)) == (before != after)


def lrp(index: int, **fields: object) -> ActualLRP:
    return ActualLRP("p", index, **fields)  # type: ignore[arg-type]


def test_what_instances_are() -> None:
    known = [
        lrp(0, state="RUNNING"),
        lrp(1, state="RUNNING", routable=False),
        lrp(2, state="CLAIMED"),
        lrp(3),
        lrp(4, placement_error="no memory"),
        lrp(5, state="CRASHED"),
        lrp(6, state="RUNNING", retired=True),
        lrp(9, state="RUNNING"),
    ]
    expected = ("routable", "starting", "starting", "starting", "crashed", "crashed", "unknown", "unknown")
    assert instances(8, known) == expected


def test_what_is_wrong_with_them() -> None:
    assert problem([lrp(0), lrp(1, state="RUNNING", crash_reason="earlier")]) is None
    assert problem([lrp(0), lrp(1, placement_error="insufficient resources: memory")]) == (
        "Instance 1: insufficient resources: memory"
    )
    assert problem([lrp(0, state="CRASHED", crash_reason="Exited with status 1")]) == "Instance 0: Exited with status 1"
    assert problem([lrp(0, state="CRASHED")]) == "Instance 0: crashed"
