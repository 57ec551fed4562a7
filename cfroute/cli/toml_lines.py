"""Changing one key of a TOML file and leaving the rest, comments too, as it is."""

import re
import tomllib
from typing import Any

import tomli_w

_HEADER = re.compile(r"^\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?$")


class NotEditable(ValueError):
    """The file is written in a way that has to be changed by hand."""


def changed(text: str, table: str, key: str, value: Any) -> str:
    """The text with the key of a table ("" for the top) set to a value, or without it for None. Raises NotEditable."""
    lines = text.splitlines(keepends=True)
    first, last = _section(lines, table)
    at = next((number for number in range(first, last) if re.match(rf'\s*"?{re.escape(key)}"?\s*=', lines[number])), None)
    if at is not None:
        lines[at : at + _length(lines[at:last])] = [] if value is None else [_line(key, value)]
    elif value is not None:
        while last > first and not lines[last - 1].strip():
            last -= 1
        missing = table and not any(_name(line) == table for line in lines)
        lines[last:last] = [*_ended(lines[:last]), *([f"\n[{table}]\n"] if missing else []), _line(key, value)]
    result = "".join(lines)
    if not _is_right(text, result, table, key, value):
        raise NotEditable(f"{table}.{key}" if table else key)
    return result


def _section(lines: list[str], table: str) -> tuple[int, int]:
    """The lines of the table, without its header; an empty range at the end when it is not there."""
    headers = [number for number, line in enumerate(lines) if _name(line) is not None]
    starts = [-1, *headers]
    for begin, end in zip(starts, [*headers, len(lines)], strict=True):
        if table == ("" if begin < 0 else _name(lines[begin])):
            return begin + 1, end
    return len(lines), len(lines)


def _name(line: str) -> str | None:
    found = _HEADER.match(line)
    return found[1] if found else None


def _length(lines: list[str]) -> int:
    """How many lines the first assignment takes: the fewest that can be read."""
    for length in range(1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[:length]))
        except tomllib.TOMLDecodeError:
            continue
        return length
    raise NotEditable(lines[0].strip())


def _ended(lines: list[str]) -> list[str]:
    """A newline, where the last line has none."""
    return ["\n"] if lines and not lines[-1].endswith("\n") else []


def _line(key: str, value: Any) -> str:
    return tomli_w.dumps({key: value})


def _is_right(before: str, after: str, table: str, key: str, value: Any) -> bool:
    """Whether the key, and nothing else, has changed."""
    expected = tomllib.loads(before)
    place = expected.setdefault(table, {}) if table else expected
    if value is None:
        place.pop(key, None)
    else:
        place[key] = value
    if table and not place:
        expected.pop(table)
    try:
        got = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    if table and got.get(table) == {}:
        got.pop(table)
    return got == expected
