"""Times of day as Go writes and reads them: RFC 3339 with up to nine decimals, in nanoseconds since the epoch."""

import re
from typing import NoReturn

from cfroute.go.quoting import quote

_LAYOUT = "2006-01-02T15:04:05Z07:00"
_NANOSECONDS = 1_000_000_000
YEAR_ONE = -62_135_596_800 * _NANOSECONDS
"""Go's zero time, which a missing one counts as."""

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FRACTION = re.compile(r"[.,]([0-9]+)")
_ZONE = re.compile(r"Z|([+-])([0-9]{2}):([0-9]{2})")


class TimeError(ValueError):
    """The text is no time; the message is Go's."""


def format_rfc3339(nanoseconds: int) -> str:
    """The time in UTC, without trailing zeros of the fraction: `2099-01-01T00:00:00.5Z`."""
    seconds, fraction = divmod(nanoseconds, _NANOSECONDS)
    days, of_day = divmod(seconds, 86_400)
    year, month, day = _civil(days)
    decimals = f".{fraction:09d}".rstrip("0").rstrip(".")
    hour, minute, second = of_day // 3600, of_day // 60 % 60, of_day % 60
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{decimals}Z"


def parse_rfc3339(text: str) -> int:
    """The nanoseconds since the epoch. Raises TimeError."""
    return _Reader(text).read()


class _Reader:
    """Reads a time from left to right; what is left when it stops is what the error shows."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._rest = text

    def read(self) -> int:
        year = self._number("2006", 4)
        self._expect("-")
        month = self._number("01", 2, 1, 12, "month")
        self._expect("-")
        day = self._number("02", 2)
        self._expect("T")
        hour = self._number("15", 2, 0, 23, "hour")
        self._expect(":")
        minute = self._number("04", 2, 0, 59, "minute")
        self._expect(":")
        second = self._number("05", 2, 0, 59, "second")
        fraction = self._fraction()
        offset = self._zone()
        if self._rest:
            raise TimeError(f"parsing time {quote(self._text)}: extra text: {quote(self._rest)}")
        leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if not 1 <= day <= _DAYS[month - 1] + leap:
            self._out_of_range("day")
        seconds = (_days_before(year, month, day) * 24 + hour) * 3600 + minute * 60 + second - offset
        return seconds * _NANOSECONDS + fraction

    def _number(self, layout: str, size: int, low: int = 0, high: int = 9999, name: str = "") -> int:
        digits = self._rest[:size]
        if len(digits) < size or not (digits.isascii() and digits.isdigit()):
            self._refuse(layout)
        self._rest = self._rest[size:]
        number = int(digits)
        if not low <= number <= high:
            self._out_of_range(name)
        return number

    def _expect(self, separator: str) -> None:
        if not self._rest.startswith(separator):
            self._refuse(separator)
        self._rest = self._rest[1:]

    def _fraction(self) -> int:
        match = _FRACTION.match(self._rest)
        if match is None:
            return 0
        if match[0][0] == ",":
            raise TimeError(f'parsing time {quote(self._text)} as "{_LAYOUT}": cannot parse "," as "."')
        self._rest = self._rest[match.end() :]
        return int(match[1][:9].ljust(9, "0"))

    def _zone(self) -> int:
        match = _ZONE.match(self._rest)
        if match is None:
            self._refuse("Z07:00")
        self._rest = self._rest[match.end() :]
        if match[0] == "Z":
            return 0
        hours, minutes = int(match[2]), int(match[3])
        if hours >= 24:
            self._out_of_range("time zone offset hour")
        if minutes >= 60:
            self._out_of_range("time zone offset minute")
        return (hours * 3600 + minutes * 60) * (-1 if match[1] == "-" else 1)

    def _refuse(self, layout: str) -> NoReturn:
        raise TimeError(f'parsing time {quote(self._text)} as "{_LAYOUT}": cannot parse {quote(self._rest)} as "{layout}"')

    def _out_of_range(self, name: str) -> NoReturn:
        raise TimeError(f"parsing time {quote(self._text)}: {name} out of range")


# The calendar is reckoned here because Python's begins with the year 1 and knows no nanoseconds; the reckoning counts years
# from March, so that the leap day is the last one.


def _days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to that day."""
    year -= month < 3
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """The day that is so many days after 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    march_month = (5 * of_year + 2) // 153
    month = (march_month + 2) % 12 + 1
    return era * 400 + year + (month < 3), month, of_year - (153 * march_month + 2) // 5 + 1
