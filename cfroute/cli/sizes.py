"""Sizes as cf's flags have them: `512M`, `1GB`."""

import re

MIB = 1 << 20  # bytes
UNITS = "BKMGT"
UNREADABLE = "Byte quantity must be an integer with a unit of measurement like {}"
"""What cf says of a flag that is no size, with the units that it tells there."""

_SIZE = re.compile(r"(\d{1,18})(?:([KMGT])B?|(B))", re.IGNORECASE | re.ASCII)


def octets(text: str, units: str = UNITS) -> int | None:
    """The size in bytes; None when `text` is no size, or has another unit than `units`."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    unit = (match[2] or match[3]).upper()
    return int(match[1]) << 10 * UNITS.index(unit) if unit in units else None
