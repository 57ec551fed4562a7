"""Data as plain text for grep, cut and awk: one record a line, its fields between tabs, in the order that --json has them.

Nothing is wrapped, padded, cut or coloured, and there is no header. Within a field, tab, newline, carriage return and backslash
are written as \\t, \\n, \\r and \\\\, so that a line is always one record. What has parts of its own is written as JSON.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def lines(data: Any) -> Iterator[str]:
    """A list: a line for each record. An object: a line for each key, with its value. Anything else: itself."""
    value = _builtin(data)
    if isinstance(value, list | tuple):
        yield from map(record, value)
    elif isinstance(value, Mapping):
        yield from (f"{field(key)}\t{field(each)}" for key, each in value.items())
    else:
        yield field(value)


def record(data: Any) -> str:
    """One line."""
    value = _builtin(data)
    if isinstance(value, Mapping):
        return "\t".join(map(field, value.values()))
    return "\t".join(map(field, value)) if isinstance(value, list | tuple) else field(value)


def field(value: Any) -> str:
    """One value; None is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    import msgspec

    return msgspec.json.encode(value).decode()


def _builtin(data: Any) -> Any:
    """Structs as mappings, tuples as lists, what JSON does not have as text."""
    import msgspec

    return msgspec.to_builtins(data, enc_hook=str, str_keys=True)
