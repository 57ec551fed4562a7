"""RFC 3339 times as Go has them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go import time as go_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-21T19:10:13.482005927Z", 1795288213482005927),
        ("2099-01-01T02:00:00+02:00", 4070908800_000000000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("0001-01-01T00:00:00Z", go_time.YEAR_ONE),
        ("2024-02-29T00:00:00.1234567891Z", 1709164800_123456789),
        ("0000-03-01T00:00:00Z", -62162035200_000000000),
    ],
)
def test_parse(text: str, nanoseconds: int) -> None:
    assert go_time.parse_rfc3339(text) == nanoseconds


LAYOUT = '"2006-01-02T15:04:05Z07:00"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", f'parsing time "yesterday" as {LAYOUT}: cannot parse "yesterday" as "2006"'),
        ("", f'parsing time "" as {LAYOUT}: cannot parse "" as "2006"'),
        ("2020", f'parsing time "2020" as {LAYOUT}: cannot parse "" as "-"'),
        ("2020-1-1", f'parsing time "2020-1-1" as {LAYOUT}: cannot parse "1-1" as "01"'),
        ("2020-01-01 00:00", f'parsing time "2020-01-01 00:00" as {LAYOUT}: cannot parse " 00:00" as "T"'),
        ("2020-01-01T00:00:00", f'parsing time "2020-01-01T00:00:00" as {LAYOUT}: cannot parse "" as "Z07:00"'),
        ("2020-01-01T00:00:00,5Z", f'parsing time "2020-01-01T00:00:00,5Z" as {LAYOUT}: cannot parse "," as "."'),
        ("2020-13-01T00:00:00Z", 'parsing time "2020-13-01T00:00:00Z": month out of range'),
        ("2021-02-29T00:00:00Z", 'parsing time "2021-02-29T00:00:00Z": day out of range'),
        ("2020-01-01T24:00:00Z", 'parsing time "2020-01-01T24:00:00Z": hour out of range'),
        ("2020-01-01T00:00:00Zx", 'parsing time "2020-01-01T00:00:00Zx": extra text: "x"'),
    ],
)
def test_refusals_in_go_s_words(text: str, message: str) -> None:
    with pytest.raises(go_time.TimeError) as refused:
        go_time.parse_rfc3339(text)
    assert str(refused.value) == message


def test_trailing_zeros_are_not_written() -> None:
    assert go_time.format_rfc3339(500_000_000) == "1970-01-01T00:00:00.5Z"
    assert go_time.format_rfc3339(10_000_000_000) == "1970-01-01T00:00:10Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_calendar_is_python_s(moment: datetime) -> None:
    nanoseconds = (moment - EPOCH) // timedelta(microseconds=1) * 1000
    text = go_time.format_rfc3339(nanoseconds)
    assert text[:19] == moment.isoformat()[:19]
    assert go_time.parse_rfc3339(text) == nanoseconds
