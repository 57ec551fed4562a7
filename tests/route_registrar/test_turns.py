"""What a turn comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.route_registrar.turns import Standing, Verb, next_turn


def told(standing: Standing, *, healthy: bool) -> Verb | None:
    verb = standing.after(healthy=healthy)
    if verb is not None:
        standing.told(verb)
    return verb


@pytest.mark.statement("route registrar 5", "Unregistrations are limited in a row; a healthy result begins anew")
@given(st.lists(st.booleans()), st.integers(1, 4))
def test_unregistrations_are_limited_in_a_row(results: list[bool], limit: int) -> None:
    standing, in_a_row = Standing(limit), 0
    for healthy in results:
        verb = told(standing, healthy=healthy)
        in_a_row = 0 if healthy else in_a_row + 1
        assert verb is (Verb.REGISTER if healthy else Verb.UNREGISTER if in_a_row <= limit else None)
        assert standing.is_registered is healthy


def test_what_could_not_be_told_does_not_count() -> None:
    standing = Standing(1)
    assert [standing.after(healthy=False) for _ in range(3)] == [Verb.UNREGISTER] * 3
    standing.told(Verb.UNREGISTER)
    assert standing.after(healthy=False) is None
    assert repr(standing) == "<Standing: gone, told 1 of 1 times>"


@pytest.mark.parametrize(("last", "now", "due"), [(0, 0.1, 10), (10, 10, 20), (0, 12, 12), (0, 35, 35)])
def test_turns_do_not_drift_and_are_not_made_up_for(last: float, now: float, due: float) -> None:
    assert next_turn(last, 10, now) == due
