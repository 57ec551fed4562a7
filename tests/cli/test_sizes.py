"""Sizes in flags: every one that cf writes is read, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli import render
from cfroute.cli.sizes import MIB, UNITS, octets


@given(st.integers(0, 10**18 - 1), st.sampled_from(UNITS), st.booleans())
def test_sizes_are_read_with_and_without_the_b(number: int, unit: str, long: bool) -> None:
    expected = number * 1024 ** UNITS.index(unit)
    text = f"{number}{unit}" + ("B" if long and unit != "B" else "")
    assert octets(text) == octets(text.lower()) == expected
    assert octets(text, units="MGT") == (expected if unit in "MGT" else None)


@given(st.integers(1, 1023), st.sampled_from(UNITS))
def test_what_is_shown_can_be_read(number: int, unit: str) -> None:
    size = number * 1024 ** UNITS.index(unit)
    assert octets(render.size(size)) == size


@given(st.text(max_size=8))
def test_any_text_is_a_size_or_none(text: str) -> None:
    size = octets(text)
    assert size is None or (size >= 0 and text[0] in "0123456789" and text[-1].upper() in UNITS)


@pytest.mark.parametrize(
    "text", ["", "7", "M", "1.5G", "-1M", "+1M", " 1M", "1M ", "1 M", "7BB", "1E", "1MiB", "9999999999999999999M", "٣M"]
)
def test_what_is_no_size(text: str) -> None:
    assert octets(text) is None


def test_a_megabyte() -> None:
    assert octets("1M") == MIB == 1048576
