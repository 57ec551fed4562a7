"""Sizes as people write them: `64M`, `1.5G`. Pure."""

import re

_SIZE = re.compile(r"\s*([-+]?\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*")
_POWERS = {"B": 0, "K": 1, "KB": 1, "M": 2, "MB": 2, "G": 3, "GB": 3, "T": 4, "TB": 4}


class SizeError(ValueError):
    """What is wrong with a size, to be put behind the name of the field."""


def mebibytes(text: object) -> int | None:
    """Whole mebibytes, rounded down; None for nothing. Raises SizeError."""
    if text is None or text == "":
        return None
    match = _SIZE.fullmatch(str(text))
    if match is None:
        raise SizeError("is not a number")
    if match[2].upper() not in _POWERS:
        raise SizeError("must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].upper()] // 1024**2)
