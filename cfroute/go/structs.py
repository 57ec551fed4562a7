"""Structs as Go's `encoding/json` decoder fills them from the first JSON value of a body, with Go's words for what is wrong.

Well-formed bodies are read by msgspec; what it refuses is read again here, which either finds what Go would complain of, or
what Go lets pass: names in another case, `null` for a default, something behind the value.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from cfroute.go.json import Assignment, Value

_RANGES: Final = {"uint16": (0, 0xFFFF), "uint32": (0, 0xFFFF_FFFF), "int": (-(1 << 63), (1 << 63) - 1)}


class Field(NamedTuple):
    """A field of a Go struct: its type as Go calls it, and for a struct its fields."""

    type: str
    fields: "Fields | None" = None


Fields = Mapping[str, Field]


def structs(value: Value, name: str, fields: Fields) -> list[dict[str, Any]]:
    """The elements of an array of structs that Go calls `name`, each by `struct`. `null` is an empty one. Raises JSONError."""
    if value.kind not in ("array", "null"):
        _refuse(value, f"[]{name}")
    return [struct(each, name, fields) for each in value.items]


def struct(value: Value, name: str, fields: Fields, path: str = "") -> dict[str, Any]:
    """The known members of an object, by their proper names; `null` is no member. Raises JSONError for a wrong type.

    `path` ends with a point, and says of which field of an outer struct this is the value.
    """
    if value.kind not in ("object", "null"):
        _refuse(value, name)
    assign = Assignment(name.rpartition(".")[2], path)
    found: dict[str, Any] = {}
    for field, key, member in assign.members(value, fields):
        found[key] = _member(assign, field, f"{path}{key}", key, member)
        if assign.error is not None:
            raise assign.error
    return found


def _member(assign: Assignment, field: Field, path: str, name: str, value: Value) -> Any:
    if field.fields is not None:
        if value.kind == "object":
            return struct(value, field.type, field.fields, f"{path}.")
        return assign.note(value, name, field.type)
    if field.type in _RANGES:
        return assign.integer(value, name, field.type, *_RANGES[field.type])
    if field.type == "bool":
        return assign.boolean(value, name)
    return assign.string(value, name, field.type)


def _refuse(value: Value, go_type: str) -> None:
    assign = Assignment("")
    assign.note(value, "", go_type)
    assert assign.error is not None
    raise assign.error
