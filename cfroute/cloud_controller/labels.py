"""Label selectors: `env=dev,!x,tier in (a,b)`. Pure.

key            the label is there
!key           it is not
key=v  key==v  it has that value
key!=v         it has another value, or is not there
key in (a,b)   it has one of the values
key notin (…)  it has none of them
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from cfroute.cloud_controller.errors import bad_query

_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*([A-Za-z0-9._-]*)")
_EXISTS = re.compile(rf"(!?)({_KEY})")
# Finding the commas takes time with the square of them, and SQLite takes no expression that is much larger.
_MOST = 500
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


class Requirement(NamedTuple):
    """One condition on one label; no values: the label has to be there (`in`) or not (`notin`)."""

    key: str
    operator: Literal["in", "notin"]
    values: tuple[str, ...] = ()


def parse(selector: str) -> list[Requirement]:
    """All conditions, each of which must hold. Raises 10005."""
    if not selector.strip():
        raise bad_query("Missing label_selector value")
    if selector.count(",") >= _MOST:
        raise bad_query(f"label_selector may have at most {_MOST} keys and values")
    return [_requirement(part.strip()) for part in _COMMA_OUTSIDE_PARENTHESES.split(selector)]


def _requirement(text: str) -> Requirement:
    if match := _SET.fullmatch(text):
        values = tuple(value.strip() for value in match[3].split(","))
        return Requirement(match[1], "in" if match[2] == "in" else "notin", values)
    if match := _EQUAL.fullmatch(text):
        return Requirement(match[1], "notin" if match[2] == "!=" else "in", (match[3],))
    if match := _EXISTS.fullmatch(text):
        return Requirement(match[2], "notin" if match[1] else "in")
    raise bad_query("Invalid label_selector value")


def met(requirements: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether something with these labels is selected."""
    return all((each.operator == "in") == _has(each, labels) for each in requirements)


def _has(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    return value in requirement.values if requirement.values else value is not None


def problems(metadata: object) -> list[str]:
    """What is wrong with the `metadata` of a request."""
    if metadata is None:
        return []
    if not isinstance(metadata, dict):
        return ["Metadata must be an object"]
    found = [f"Metadata '{part}' must be an object" for part in ("labels", "annotations") if not _flat(metadata, part)]
    if found:
        return found
    bad = [key for key in metadata.get("labels") or {} if not re.fullmatch(_KEY, key)]
    return [f"Metadata label key error: '{key}' contains invalid characters" for key in bad]


def _flat(metadata: dict[str, object], part: str) -> bool:
    values = metadata.get(part)
    if values is None:
        return True
    return isinstance(values, dict) and all(value is None or isinstance(value, str) for value in values.values())


def merged(old: dict[str, str], change: object) -> dict[str, str]:
    """The old labels or annotations with the change laid over them; null removes."""
    assert change is None or isinstance(change, dict)
    both = {**old, **(change or {})}
    return {key: value for key, value in both.items() if value is not None}
