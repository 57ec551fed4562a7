"""Where an operation stands after an answer: when it is asked for again, and when patience ends."""

import pytest

from cfroute.cloud_controller.brokers.outcomes import Failed, InProgress, Succeeded
from cfroute.cloud_controller.brokers.progress import Failure, Limits, Standing, Verdict, judge

LIMITS = Limits(60.0, 3600.0)
NOW = 1000.0


def standing(type: str = "create", kind: str = "instance", deadline: float | None = NOW + 3600) -> Standing:  # noqa: A002
    return Standing(kind, type, asked=True, deadline=deadline)


@pytest.mark.parametrize(
    ("again_in", "pause"), [(None, 60), (0, 60), (5, 60), (60, 60), (61, 61), (3000, 3000)], ids=lambda value: str(value)
)
def test_a_broker_may_be_asked_more_seldom_than_usual_and_not_more_often(again_in: float | None, pause: float) -> None:
    verdict = judge(standing(), InProgress({}, again_in=again_in), NOW, LIMITS)
    assert (verdict.state, verdict.due_at) == ("in progress", NOW + pause)


def test_no_broker_is_left_alone_for_more_than_a_day() -> None:
    assert LIMITS.pause(900_000) == 86_400
    assert Limits(100_000, 0).pause(None) == 100_000


def test_what_has_begun_is_asked_for_at_once() -> None:
    """Many brokers have done it by then, and the pause is for those that have not."""
    begun = judge(Standing("instance", "create", asked=False), InProgress({}, "op"), NOW, LIMITS)
    assert begun == Verdict("in progress", broker_operation="op", due_at=NOW, deadline=NOW + 3600)


@pytest.mark.parametrize(
    ("kind", "type", "verb"),
    [
        ("instance", "create", "provision"),
        ("instance", "update", "update"),
        ("instance", "delete", "deprovision"),
        ("route_binding", "create", "bind"),
        ("credential_binding", "delete", "unbind"),
    ],
)
def test_patience_ends_before_the_question_that_would_come_too_late(kind: str, type: str, verb: str) -> None:  # noqa: A002
    late = judge(standing(type, kind, NOW + 59), InProgress({}), NOW, LIMITS)
    sentence = f"Service Broker failed to {verb} within the required time."
    assert late == Verdict("failed", sentence, orphan=type == "create", failure=Failure.LATE)
    assert judge(standing(type, kind, NOW + 60), InProgress({}), NOW, LIMITS).state == "in progress"
    assert judge(standing(type, kind, NOW + 59), Failed("away", repeatable=True), NOW, LIMITS).failure is Failure.LATE


def test_a_plan_can_shorten_the_patience_and_not_lengthen_it() -> None:
    assert LIMITS.within(None) == LIMITS
    assert LIMITS.within(10) == Limits(60.0, 10)
    assert LIMITS.within(9999) == LIMITS


def test_what_is_gone_was_deleted_and_is_still_being_made_otherwise() -> None:
    gone = Succeeded({"state": "gone"})
    assert judge(standing("delete"), gone, NOW, LIMITS).state == "succeeded"
    assert judge(standing("create"), gone, NOW, LIMITS) == Verdict("in progress", due_at=NOW + 60, deadline=NOW + 3600)
