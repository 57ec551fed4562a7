"""Many timeouts for the price of one timer."""

from hypothesis import given
from hypothesis import strategies as st

from cfroute.proxy.deadline import Deadlines
from cfroute.testing import ManualClock


def started(seconds: float = 10.0) -> tuple[ManualClock, Deadlines[str], list[tuple[float, str]]]:
    clock, expired = ManualClock(), []
    deadlines: Deadlines[str] = Deadlines(seconds, clock, lambda entry: expired.append((clock.monotonic(), entry)))
    return clock, deadlines, expired


def test_what_stays_in_expires_once() -> None:
    clock, deadlines, expired = started()
    deadlines.add("a")
    clock.advance(9.9)
    assert (len(deadlines), "a" in deadlines, expired) == (1, True, [])
    clock.advance(0.1)
    clock.advance(100)
    assert (len(deadlines), "a" in deadlines, expired) == (0, False, [(10.0, "a")])


def test_what_is_discarded_does_not() -> None:
    clock, deadlines, expired = started()
    deadlines.add("a")
    deadlines.add("b")
    deadlines.discard("a")
    deadlines.discard("unknown")
    clock.advance(100)
    assert [entry for _, entry in expired] == ["b"]


def test_what_is_added_again_begins_anew() -> None:
    clock, deadlines, expired = started()
    deadlines.add("a")
    clock.advance(6)
    deadlines.discard("a")
    deadlines.add("a")
    clock.advance(9)
    assert not expired
    clock.advance(1.5)
    assert len(expired) == 1


def test_zero_is_never() -> None:
    clock, deadlines, expired = started(0)
    deadlines.add("a")
    clock.advance(1e9)
    assert (len(deadlines), expired) == (0, [])


def test_stop_forgets_everything() -> None:
    clock, deadlines, expired = started()
    deadlines.add("a")
    deadlines.stop()
    deadlines.stop()
    clock.advance(100)
    assert not expired
    deadlines.add("b")
    clock.advance(10)
    assert [entry for _, entry in expired] == ["b"]


def test_an_expired_entry_may_come_back_and_take_others_away() -> None:
    clock = ManualClock()
    expired = []

    def on_expiry(entry: str) -> None:
        expired.append((clock.monotonic(), entry))
        if entry == "a" and len(expired) == 1:
            deadlines.discard("b")
            deadlines.add("a")

    deadlines: Deadlines[str] = Deadlines(10.0, clock, on_expiry)
    deadlines.add("a")
    deadlines.add("b")
    clock.advance(100)
    assert expired == [(10.0, "a"), (20.0, "a")]


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=20))
def test_each_expires_in_time_and_in_order(steps: list[tuple[float, bool]]) -> None:
    clock, deadlines, expired = started()
    due: dict[str, float] = {}
    for number, (pause, keep) in enumerate(steps):
        clock.advance(pause)
        deadlines.add(str(number))
        due[str(number)] = clock.monotonic() + 10
        if not keep:
            deadlines.discard(str(number))
            del due[str(number)]
    clock.advance(100)
    assert [entry for _, entry in expired] == list(due)
    assert all(due[entry] <= when <= due[entry] + 0.51 for when, entry in expired)
