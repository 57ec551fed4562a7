"""Durations as Go writes them: `30s`, `1.5s`, `1m30s`, `-2h`, `1500ms`.

    duration = [ "+" | "-" ] ( "0" | part { part } )
    part     = number unit          number like 3, 1.5, .5 or 2.
    unit     = ns | us | µs | μs | ms | s | m | h

Go counts whole nanoseconds in 64 bits; so does this module, and hands out seconds.
"""

import re

_PART = re.compile(r"(?P<whole>[0-9]*)(?P<point>\.(?P<fraction>[0-9]*))?(?P<unit>[^0-9.]*)")
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek letter mu: Go takes both
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LIMIT = 1 << 63
_DIGITS = 20  # more of them are too much before the point, and nothing behind it


class DurationError(ValueError):
    """The text is no duration; the message is Go's."""


def parse(text: str) -> float:
    """The seconds that `text` stands for. Raises DurationError."""
    return parse_ns(text) / 1e9


def parse_ns(text: str) -> int:
    """The nanoseconds that `text` stands for, cut (not rounded) to whole ones. Raises DurationError."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if digits == "0":
        return 0
    total, position = 0, 0
    while position < len(digits) or position == 0:
        match = _PART.match(digits, position)
        if match is None or not (match["whole"] or match["fraction"]):
            raise DurationError(f"time: invalid duration {_quoted(text)}")
        total += _nanoseconds(match, text)
        position = match.end()
    negative = text.startswith("-")
    if total > _LIMIT - (not negative):
        raise DurationError(f"time: invalid duration {_quoted(text)}")
    return -total if negative else total


def _nanoseconds(match: re.Match[str], text: str) -> int:
    unit = match["unit"]
    if not unit:
        raise DurationError(f"time: missing unit in duration {_quoted(text)}")
    if unit not in _UNITS:
        raise DurationError(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
    size, fraction = _UNITS[unit], (match["fraction"] or "")[:_DIGITS]
    whole = match["whole"].lstrip("0") or "0"
    if len(whole) > _DIGITS:
        raise DurationError(f"time: invalid duration {_quoted(text)}")
    scale: int = 10 ** len(fraction)
    return int(whole) * size + int(fraction or "0") * size // scale


def format(seconds: float) -> str:  # noqa: A001  (durations.format reads as what it is)
    """The shortest text Go gives for a duration: `1m30s`, `1.5s`, `250ms`, `0s`."""
    return format_ns(round(seconds * 1e9))


def format_ns(nanoseconds: int) -> str:
    """The same for whole nanoseconds."""
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest == 0:
        return "0s"
    for unit in ("ns", "µs", "ms"):
        if rest < _UNITS[unit] * 1000:
            return f"{sign}{_decimal(rest, _UNITS[unit])}{unit}"
    minutes, rest = divmod(rest, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    prefix = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{prefix}{_decimal(rest, _UNITS['s'])}s"


def _decimal(count: int, size: int) -> str:
    whole, fraction = divmod(count, size)
    if not fraction:
        return str(whole)
    return f"{whole}.{str(fraction).zfill(len(str(size)) - 1).rstrip('0')}"


def _quoted(text: str) -> str:
    """The quoting of Go's time package: bytes that are not printable ASCII become \\x.."""
    body = (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in text.encode())
    return '"' + "".join("\\" + char if char in '"\\' else char for char in body) + '"'
