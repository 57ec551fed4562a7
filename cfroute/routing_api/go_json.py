"""Bodies as Go's `encoding/json` decoder reads them: the first JSON value, with Go's words for what is wrong.

Well-formed bodies are read by msgspec; what it refuses is read again here, which either finds what Go would complain of, or
what Go lets pass: names in another case, `null` for a default, something behind the value.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

_SPACE: Final = " \t\r\n"
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_LITERALS: Final = ("true", "false", "null")
_KINDS: Final = {bool: "bool", str: "string", int: "number", float: "number", list: "array", dict: "object"}
_RANGES: Final = {"uint16": (0, 0xFFFF), "uint32": (0, 0xFFFF_FFFF), "int": (-(1 << 63), (1 << 63) - 1)}


class JSONError(ValueError):
    """The body cannot be read; the message is Go's."""


class Field(NamedTuple):
    """A field of a Go struct: its type as Go calls it, and for a struct its fields."""

    type: str
    fields: "Fields | None" = None


Fields = Mapping[str, Field]


def first_value(body: bytes) -> Any:
    """The first value of the body. Raises JSONError."""
    text = body.decode("utf-8", "replace").lstrip(_SPACE)
    if not text:
        raise JSONError("EOF")
    try:
        value, _ = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise JSONError(_syntax(text, error)) from error
    except RecursionError as error:
        raise JSONError("exceeded max depth") from error
    return value


def _no_constant(name: str) -> None:
    raise json.JSONDecodeError("Expecting value", name, 0)


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def _syntax(text: str, error: json.JSONDecodeError) -> str:
    at = error.pos if error.doc == text else text.index(error.doc)
    if "Unterminated" in error.msg or not text[at:].strip(_SPACE):
        return "unexpected EOF"
    found = text[at:].lstrip(_SPACE)
    char = found[0]
    if error.msg == "Expecting value":
        return _no_value(found)
    if "escape" in error.msg:
        return f"invalid character {_quoted(text[at + 1 : at + 2])} in string escape code"
    if "control character" in error.msg:
        return f"invalid character {_quoted(text[at])} in string literal"
    context = {
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Illegal trailing comma before end of object": "looking for beginning of object key string",
        "Illegal trailing comma before end of array": "looking for beginning of value",
        "Expecting ':' delimiter": "after object key",
    }.get(error.msg) or ("after array element" if _inside_array(text[:at]) else "after object key:value pair")
    return f"invalid character {_quoted(char)} {context}"


def _no_value(found: str) -> str:
    """Go gets as far into a misspelt literal as it is right."""
    for literal in _LITERALS:
        right = next((n for n, char in enumerate(literal) if found[n : n + 1] != char), len(literal))
        if right and found[right : right + 1]:
            return f"invalid character {_quoted(found[right])} in literal {literal} (expecting '{literal[right]}')"
        if right:
            return "unexpected EOF"
    return f"invalid character {_quoted(found[0])} looking for beginning of value"


def _inside_array(text: str) -> bool:
    depth = 0
    for char in reversed(_STRING.sub("", text)):
        depth += (char in "]}") - (char in "[{")
        if depth < 0:
            return char == "["
    return False


def _quoted(char: str) -> str:
    special = {"'": r"'\''", '"': "'\"'", "\n": r"'\n'", "\t": r"'\t'", "\r": r"'\r'", "\\": r"'\\'"}
    return special.get(char) or (f"'{char}'" if char.isprintable() else f"'\\x{ord(char):02x}'")


def structs(value: Any, name: str, fields: Fields) -> list[dict[str, Any]]:
    """The elements of an array of structs that Go calls `name`, each by `struct`. `null` is an empty one. Raises JSONError."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise JSONError(f"json: cannot unmarshal {_kind(value)} into Go value of type []{name}")
    return [struct(each, name, fields) for each in value]


def struct(value: Any, name: str, fields: Fields, path: str = "") -> dict[str, Any]:
    """The known members of an object, by their proper names; `null` is no member. Raises JSONError for a wrong type."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        where = f"struct field {name.rpartition('.')[2]}.{path} of" if path else "value of"
        raise JSONError(f"json: cannot unmarshal {_kind(value)} into Go {where} type {name}")
    found: dict[str, Any] = {}
    for key, member in value.items():
        known = key if key in fields else key.casefold()
        if known in fields and member is not None:
            found[known] = _member(member, fields[known], f"{name.rpartition('.')[2]}.{known}")
    return found


def _member(value: Any, field: Field, where: str) -> Any:
    if field.fields is not None:
        return struct(value, field.type, field.fields) if isinstance(value, dict) else _refuse(value, field.type, where)
    return value if _fits(value, field.type) else _refuse(value, field.type, where)


def _fits(value: Any, go_type: str) -> bool:
    if go_type in _RANGES:
        low, high = _RANGES[go_type]
        return type(value) is int and low <= value <= high
    return isinstance(value, bool if go_type == "bool" else str)


def _refuse(value: Any, go_type: str, where: str) -> Any:
    shown = f"number {value}" if go_type in _RANGES and _kind(value) == "number" else _kind(value)
    raise JSONError(f"json: cannot unmarshal {shown} into Go struct field {where} of type {go_type}")


_kind: Final[Callable[[Any], str]] = lambda value: _KINDS[type(value)]  # noqa: E731
