"""Averages and percentiles of the deprecated page."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.metrics.sampling import Rate, Reservoir, percentiles


def test_a_steady_rate_is_its_average() -> None:
    rate = Rate()
    for _ in range(100):
        for _ in range(10):
            rate.mark()
        rate.tick()
    assert rate.averages == pytest.approx([2.0, 2.0, 2.0])


def test_a_rate_fades_faster_over_one_minute_than_over_fifteen() -> None:
    rate = Rate()
    for _ in range(60):
        rate.mark()
    assert rate.averages == [0.0, 0.0, 0.0]
    rate.tick()
    assert rate.averages == [12.0, 12.0, 12.0]
    for _ in range(12):
        rate.tick()
    one, five, fifteen = rate.averages
    assert one == pytest.approx(12 / 2.718281828)
    assert one < five < fifteen < 12


def test_no_value_and_one_value() -> None:
    reservoir = Reservoir(Random(1), 0.0)
    assert percentiles(reservoir.values()) == [0.0] * 5
    reservoir.add(3.0, 0.0)
    assert percentiles(reservoir.values()) == [3.0] * 5


def test_between_two_values() -> None:
    reservoir = Reservoir(Random(1), 0.0)
    for value in (4.0, 1.0, 2.0, 3.0):
        reservoir.add(value, 0.0)
    assert percentiles(reservoir.values()) == [2.5, 3.75, 4.0, 4.0, 4.0]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.integers())
def test_percentiles_go_up_and_stay_within(values: list[float], seed: int) -> None:
    reservoir = Reservoir(Random(seed), 0.0)
    for second, value in enumerate(values):
        reservoir.add(value, float(second))
    found = percentiles(reservoir.values())
    assert min(values) <= found[0]
    assert found[-1] <= max(values)
    assert all(a <= b + 1e-9 for a, b in pairwise(found))


def test_newer_values_push_the_old_ones_out() -> None:
    reservoir = Reservoir(Random(1), 0.0)
    for _ in range(2000):
        reservoir.add(1.0, 0.0)
    for _ in range(2000):
        reservoir.add(9.0, 7200.0)
    assert percentiles(reservoir.values())[0] == 9.0
