"""Go's duration strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute import durations


@pytest.mark.statement("F", "durations: decimal numbers with units, a sign, and 0 alone")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("1.5s", 1.5),
        ("1500ms", 1.5),
        ("1m30s", 90.0),
        ("1h", 3600.0),
        ("-1.5h", -5400.0),
        ("+5s", 5.0),
        ("0", 0.0),
        ("-0", 0.0),
        (".5s", 0.5),
        ("2.s", 2.0),
        ("10us", 1e-5),
        ("10µs", 1e-5),
        ("10μs", 1e-5),
        ("7ns", 7e-9),
    ],
)
def test_parse(text: str, seconds: float) -> None:
    assert durations.parse(text) == pytest.approx(seconds, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("30", 'time: missing unit in duration "30"'),
        ("1.5", 'time: missing unit in duration "1.5"'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("1x", 'time: unknown unit "x" in duration "1x"'),
        ("1s 2m", 'time: unknown unit "s " in duration "1s 2m"'),
        ("--1s", 'time: invalid duration "--1s"'),
        ("3000000h", 'time: invalid duration "3000000h"'),
        ('1"', 'time: unknown unit "\\"" in duration "1\\""'),
        ("1é", 'time: unknown unit "\\xc3\\xa9" in duration "1\\xc3\\xa9"'),
    ],
)
def test_refusals_in_go_s_words(text: str, message: str) -> None:
    with pytest.raises(durations.DurationError) as refused:
        durations.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (90, "1m30s"), (1.5, "1.5s"), (0.25, "250ms"), (3600, "1h0m0s"), (-1, "-1s"), (1.5e-6, "1.5µs"), (2e-9, "2ns")],
)
def test_format(seconds: float, text: str) -> None:
    assert durations.format(seconds) == text


@given(st.integers(-(1 << 63) + 1, (1 << 63) - 1))
def test_what_is_written_is_read_back(nanoseconds: int) -> None:
    assert durations.parse_ns(durations.format_ns(nanoseconds)) == nanoseconds


@given(st.text(alphabet="0123456789.nuµmsh+- x"))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        nanoseconds = durations.parse_ns(text)
    except durations.DurationError:
        return
    assert -(1 << 63) <= nanoseconds < 1 << 63
