"""YAML into typed structs, by the rules of go-yaml v3.

Upstream's configuration files are read by that library, and differ in small ways from what PyYAML makes of them: unknown
keys are ignored, a key that occurs twice is an error, `null` keeps the default, `yes` is a boolean where one is wanted,
`010` is eight, any scalar is a string where one is wanted, and a duration must be a duration string. All errors of a file
are collected and reported with their line, in go-yaml's words.
"""

import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, NamedTuple, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

from cfroute import durations

Duration = NewType("Duration", float)
"""Seconds, written as a Go duration."""

Uint16 = Annotated[int, "uint16"]
Uint32 = Annotated[int, "uint32"]
Uint = Annotated[int, "uint"]
Int64 = Annotated[int, "int64"]

_RANGES = MappingProxyType(
    {
        "uint16": (0, (1 << 16) - 1),
        "uint32": (0, (1 << 32) - 1),
        "uint": (0, (1 << 64) - 1),
        "int": (-(1 << 63), (1 << 63) - 1),
        "int64": (-(1 << 63), (1 << 63) - 1),
    }
)
_TRUE = frozenset(["true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"])
_FALSE = frozenset(["false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"])
_BOOLEANS = frozenset(["true", "True", "TRUE", "false", "False", "FALSE"])
_NULLS = frozenset(["", "~", "null", "Null", "NULL"])
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?.*)?")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_RESOLVED = frozenset(["!!null", "!!bool", "!!int", "!!float", "!!timestamp"])
_LONGEST_INTEGER = 100  # characters; 64 binary digits with their prefix are fewer
_DEEPEST = 10_000
_MOST_MERGED = 100_000  # pairs that merged mappings may bring, all in all
_PREFIX = "tag:yaml.org,2002:"

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_T = TypeVar("_T", bound=msgspec.Struct)


class YAMLError(Exception):
    """The text cannot be read; the message is go-yaml's."""


class _Field(NamedTuple):
    attribute: str
    type: Any


def decode(text: str | bytes, default: _T, name: str) -> _T:
    """Lay the document over `default`, whose type Go calls `name`. Raises YAMLError."""
    root = _compose(text)
    if root is None:
        return default
    decoder = _Decoder()
    result = decoder.struct(root, default, name)
    if decoder.errors:
        raise YAMLError("yaml: unmarshal errors:\n" + "\n".join(f"  {error}" for error in decoder.errors))
    return result


def _compose(text: str | bytes) -> yaml.Node | None:
    try:
        _check_depth(text)
        loader = _Loader(text)
        try:
            return loader.get_node() if loader.check_node() else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise YAMLError(f"yaml: {_where(error)}") from error


def _check_depth(text: str | bytes) -> None:
    """Refuse what is nested too deeply, before the composer, which calls itself, runs out of stack."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    if sum(data.count(mark) for mark in b"[{-?") < _DEEPEST:
        return
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise YAMLError(f"yaml: exceeded max depth of {_DEEPEST}")


def _where(error: yaml.YAMLError) -> str:
    """Line and problem, counted as go-yaml counts: from zero, but one more for what the scanner finds."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return str(getattr(error, "reason", error))
    more = 1 if isinstance(error, yaml.scanner.ScannerError) else 0
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None and mark.line]
    line = f"line {marks[0] + more}: " if marks else ""
    return f"{line}{error.problem or 'unknown problem parsing YAML content'}"


class _Decoder:
    """Decodes nodes by the type that is wanted, and collects what does not fit."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._merging: list[yaml.Node] = []
        self._merged_pairs = 0

    def struct(self, node: yaml.Node, default: _T, name: str) -> _T:
        """A copy of `default` with the fields that the mapping has."""
        if _tag(node) == "!!null":
            return default
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, name)
            return default
        fields = _fields(type(default))
        changes: dict[str, Any] = {}
        for key, value in self._pairs(node):
            field = fields.get(key)
            if field is not None:
                current = changes.get(field.attribute, getattr(default, field.attribute))
                changes[field.attribute] = self.value(value, field.type, current)
        return msgspec.structs.replace(default, **changes)

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        """Keys and values: merged mappings (`<<`) first, so that the mapping's own keys win."""
        seen: dict[str, int] = {}
        own: list[tuple[str, yaml.Node]] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                first = seen[key.value]
                self.errors.append(f'line {line}: mapping key "{key.value}" already defined at line {first}')
            seen[key.value] = line
            if key.value == "<<" and not key.style:
                yield from self._merged(value)
            else:
                own.append((key.value, value))
        yield from own

    def _merged(self, value: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
        # The first of several has precedence, so it is applied last.
        for node in reversed(value.value) if isinstance(value, yaml.SequenceNode) else (value,):
            if not isinstance(node, yaml.MappingNode):
                raise YAMLError("yaml: map merge requires map or sequence of maps as the value")
            if any(node is outer for outer in self._merging):
                raise YAMLError("yaml: anchor value contains itself")
            self._merged_pairs += 1 + len(node.value)
            if self._merged_pairs > _MOST_MERGED:
                raise YAMLError("yaml: document contains excessive aliasing")
            self._merging.append(node)
            yield from self._pairs(node)
            self._merging.pop()

    def value(self, node: yaml.Node, wanted: Any, current: Any) -> Any:
        """The node as the wanted type; `current` where it says nothing or does not fit."""
        if get_origin(wanted) in (Union, UnionType):  # `Duration | None`: what may be absent is read like what may not
            wanted = next(member for member in get_args(wanted) if member is not NoneType)
        if get_origin(wanted) is list:
            return self._list(node, get_args(wanted)[0], current)
        if get_origin(wanted) is dict:
            return self._mapping(node, get_args(wanted)[1], current)
        if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
            if current is None and _tag(node) == "!!null":
                return None
            return self.struct(node, wanted() if current is None else current, go_name(wanted))
        if _tag(node) == "!!null":
            return current
        reader = _SCALARS.get(go_name(wanted))
        if reader is not None and isinstance(node, yaml.ScalarNode):
            result = reader(node)
            if result is not None:
                return result
        self._refuse(node, go_name(wanted))
        return current

    def _list(self, node: yaml.Node, item: Any, current: Any) -> Any:
        if _tag(node) == "!!null":
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._refuse(node, f"[]{go_name(item)}")
            return current
        before = len(self.errors)
        items = [self.value(child, item, _zero(item)) for child in node.value]
        return items if len(self.errors) == before else current

    def _mapping(self, node: yaml.Node, item: Any, current: Any) -> Any:
        if _tag(node) == "!!null":
            return current
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, f"map[string]{go_name(item)}")
            return current
        before = len(self.errors)
        items = {key: self.value(value, item, _zero(item)) for key, value in self._pairs(node)}
        return items if len(self.errors) == before else current

    def _refuse(self, node: yaml.Node, wanted: str) -> None:
        shown = ""
        if isinstance(node, yaml.ScalarNode):
            text = node.value if len(node.value.encode()) <= 10 else node.value[:7] + "..."
            shown = f" `{text}`"
        line = node.start_mark.line + 1
        self.errors.append(f"line {line}: cannot unmarshal {_tag(node)}{shown} into {wanted}")


def go_name(wanted: Any) -> str:
    """What Go calls the type."""
    if wanted is Duration:
        return "time.Duration"
    if get_origin(wanted) is Annotated:
        return str(get_args(wanted)[1])
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return f"config.{wanted.__name__}"
    return {bool: "bool", int: "int", str: "string", float: "float64"}[wanted]


class Key(NamedTuple):
    """A key that a document sets: its path (`nats.hosts.port`), and whether it is one of the struct's."""

    path: str
    known: bool


def keys(text: str | bytes, struct: type[msgspec.Struct]) -> list[Key]:
    """The keys of a document that `decode` takes, in its order, each once; of an unknown key only the first level."""
    root = _compose(text)
    found: dict[str, Key] = {}
    if isinstance(root, yaml.MappingNode):
        _collect(root, struct, "", _Decoder(), found)
    return list(found.values())


def _collect(node: yaml.MappingNode, struct: type[msgspec.Struct], prefix: str, decoder: _Decoder, found: dict[str, Key]) -> None:
    fields = _fields(struct)
    for name, value in decoder._pairs(node):
        path, field = prefix + name, fields.get(name)
        found.setdefault(path, Key(path, field is not None))
        wanted = field.type if field is not None else None
        inner = get_args(wanted)[0] if get_origin(wanted) is list else wanted
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            for child in value.value if isinstance(value, yaml.SequenceNode) else (value,):
                if isinstance(child, yaml.MappingNode):
                    _collect(child, inner, f"{path}.", decoder, found)


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, _Field]:
    hints = get_type_hints(struct, include_extras=True)
    names = zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True)
    return {key: _Field(attribute, hints[attribute]) for key, attribute in names}


def _zero(wanted: Any) -> Any:
    """An element of a list starts from zero values: a struct's defaults are for the top level only."""
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return wanted()
    return {"string": "", "float64": 0.0}.get(go_name(wanted), 0)


def _tag(node: yaml.Node) -> str:
    """The short tag that go-yaml would resolve the node to. Raises YAMLError where the document says another one."""
    if not isinstance(node, yaml.ScalarNode):
        return "!!map" if isinstance(node, yaml.MappingNode) else "!!seq"
    if node.tag == _PREFIX + "str":
        return _resolve(node.value) if not node.style else "!!str"
    told = str(node.tag).replace(_PREFIX, "!!")
    found = _resolve(node.value)
    if told in _RESOLVED and found != told and (told, found) != ("!!float", "!!int"):
        raise YAMLError(f"yaml: cannot decode {found} `{node.value}` as a {told}")
    return told


def _resolve(text: str) -> str:
    if text in _NULLS:
        return "!!null"
    if text in _BOOLEANS:
        return "!!bool"
    if _TIMESTAMP.fullmatch(text):
        return "!!timestamp"
    if _INTEGER.fullmatch(text.replace("_", "")) and (len(text) < 19 or -(1 << 63) <= parse_integer(text) < 1 << 64):
        return "!!int"
    is_number = _FLOAT.fullmatch(text) and ("n" in text.lower() or math.isfinite(float(text)))
    return "!!float" if is_number else "!!str"


def _boolean(node: yaml.ScalarNode) -> bool | None:
    if _tag(node) not in ("!!bool", "!!str"):
        return None
    return True if node.value in _TRUE else False if node.value in _FALSE else None


def _integer(kind: str) -> Callable[[yaml.ScalarNode], int | None]:
    low, high = _RANGES[kind]

    def read(node: yaml.ScalarNode) -> int | None:
        tag = _tag(node)
        if tag == "!!int":
            number = parse_integer(node.value)
        elif tag == "!!float" and "n" not in node.value.lower():
            number = int(float(node.value))  # Go cuts a fraction off
        else:
            return None
        return number if low <= number <= high else None

    return read


def parse_integer(text: str) -> int:
    """An integer literal: decimal, 0x, 0b, 0o, and octal with a leading zero."""
    digits = text.replace("_", "")
    if len(digits) > _LONGEST_INTEGER:
        return 1 << 64  # more than any type holds; Python refuses to read thousands of digits
    plain = digits.lstrip("+-")
    if len(plain) > 1 and plain[0] == "0" and plain.isdecimal():
        return int(digits, 8)
    return int(digits, 0)


def _float(node: yaml.ScalarNode) -> float | None:
    if _tag(node) == "!!int":
        return float(parse_integer(node.value))
    return float(node.value.replace(".inf", "inf").replace(".nan", "nan")) if _tag(node) == "!!float" else None


def _duration(node: yaml.ScalarNode) -> float | None:
    if _tag(node) != "!!str":
        return None
    try:
        return durations.parse(node.value)
    except durations.DurationError:
        return None


_SCALARS: dict[str, Callable[[yaml.ScalarNode], Any]] = {
    "bool": _boolean,
    "string": lambda node: node.value,
    "float64": _float,
    "time.Duration": _duration,
    **{kind: _integer(kind) for kind in _RANGES},
}
