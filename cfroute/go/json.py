"""JSON as Go's `encoding/json` reads it, with its error texts.

Only what is out of the ordinary is read here: the common messages are decoded by msgspec, and come here when that refuses
them. Go's texts matter because they end up in logs and in answers to clients.

Reading is in two steps, as in Go: the syntax of the whole text is checked first (`parse`), and then values are assigned to
fields (`Assignment`), where a value of the wrong type is noted and the rest is read on.
"""

import codecs
import re
from collections.abc import Mapping
from math import isinf
from typing import Any, NamedTuple, NoReturn

from cfroute.go.quoting import quote

_SPACE = re.compile(rb"[ \t\r\n]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX = re.compile(rb"[0-9a-fA-F]")
_ESCAPES = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))")
_SIMPLE_ESCAPES = {b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"}
_LITERALS = {0x74: (b"true", "bool"), 0x66: (b"false", "bool"), 0x6E: (b"null", "null")}
_DIGITS = re.compile(rb"[0-9]*")
_OBJECT, _ARRAY, _QUOTE, _COLON, _COMMA, _MINUS = b'{[":,-'
_MOST_NESTED = 10_000


class JSONError(ValueError):
    """The text cannot be read; the message is Go's."""


class TruncatedError(JSONError):
    """The text ends too early."""


class Value(NamedTuple):
    """A parsed value: its kind as Go names it, its text, and the elements of an array or members of an object."""

    kind: str  # "object", "array", "string", "number", "bool" or "null"
    raw: bytes
    items: tuple["Value", ...] = ()
    members: tuple[tuple[str, "Value"], ...] = ()

    @property
    def text(self) -> str:
        """What a string says."""
        return unquote(self.raw)


def parse(data: bytes) -> Value:
    """The value of a whole text. Raises JSONError."""
    parser = _Parser(data)
    value = parser.value()
    parser.end()
    return value


def parse_first(data: bytes) -> Value:
    """The first value of a text, as a Go `Decoder` reads it, whatever follows. Raises JSONError."""
    try:
        return _Parser(data).value()
    except TruncatedError as error:
        raise JSONError("unexpected EOF" if data.strip(b" \t\r\n") else "EOF") from error


def unquote(raw: bytes) -> str:
    """The text of a string literal. What is no valid UTF-8 and no valid pair of surrogates becomes U+FFFD."""
    body = raw[1:-1]
    if b"\\" not in body:
        return body.decode("utf-8", "go-replace")
    parts: list[str] = []
    end = 0
    for match in _ESCAPES.finditer(body):
        parts.append(body[end : match.start()].decode("utf-8", "go-replace"))
        code, simple = match.groups()
        parts.append(chr(int(code, 16)) if code else _SIMPLE_ESCAPES.get(simple, simple.decode("latin-1")))
        end = match.end()
    parts.append(body[end:].decode("utf-8", "go-replace"))
    return "".join(parts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "go-replace-pair")


def _replace_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


def _replace_surrogate(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd", error.start + 2


codecs.register_error("go-replace", _replace_bytes)
codecs.register_error("go-replace-pair", _replace_surrogate)


class _Open:
    """An array or object that is not closed yet; an object waits for the value of `key`."""

    __slots__ = ("items", "key", "members", "start")

    def __init__(self, start: int, key: str | None) -> None:
        self.start = start
        self.key = key
        self.items: list[Value] = []
        self.members: list[tuple[str, Value]] = []


class _Parser:
    """A scanner without recursion, as texts may be nested 10 000 deep."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._open: list[_Open] = []

    def value(self) -> Value:
        """The next value of the text."""
        while True:
            value = self._begin()
            while value is not None:
                if not self._open:
                    return value
                value = self._attach(value)

    def end(self) -> None:
        """There has to be nothing more."""
        if self._next() is not None:
            self._refuse("after top-level value")

    def _next(self) -> int | None:
        """The next byte that is no white space; None at the end."""
        match = _SPACE.match(self._data, self._at)
        assert match is not None
        self._at = match.end()
        return self._data[self._at] if self._at < len(self._data) else None

    def _refuse(self, context: str) -> NoReturn:
        if self._at >= len(self._data):
            raise TruncatedError("unexpected end of JSON input")
        raise JSONError(f"invalid character {quoted_char(self._data[self._at])} {context}")

    def _begin(self) -> Value | None:
        """Read a whole simple value, or open an array or object (None)."""
        char = self._next()
        start = self._at
        if char in (_OBJECT, _ARRAY):
            return self._enter(char)
        if char == _QUOTE:
            self._string()
            return Value("string", self._data[start : self._at])
        if char in _LITERALS:
            literal, kind = _LITERALS[char]
            self._literal(literal)
            return Value(kind, literal)
        if char is None or char not in b"-0123456789":
            self._refuse("looking for beginning of value")
        self._number()
        return Value("number", self._data[start : self._at])

    def _enter(self, char: int) -> Value | None:
        start = self._at
        self._at += 1
        if self._next() == char + 2:  # both brackets stand two before the ones that close them
            self._at += 1
            return Value("object" if char == _OBJECT else "array", self._data[start : self._at])
        if len(self._open) >= _MOST_NESTED:
            raise JSONError("exceeded max depth")
        self._open.append(_Open(start, self._key() if char == _OBJECT else None))
        return None

    def _key(self) -> str:
        if self._next() != _QUOTE:
            self._refuse("looking for beginning of object key string")
        start = self._at
        self._string()
        key = unquote(self._data[start : self._at])
        if self._next() != _COLON:
            self._refuse("after object key")
        self._at += 1
        return key

    def _attach(self, value: Value) -> Value | None:
        """Put the value where it belongs; gives the array or object if that is closed by what follows."""
        inside = self._open[-1]
        if inside.key is None:
            inside.items.append(value)
            kind, end, context = "array", _ARRAY + 2, "after array element"
        else:
            inside.members.append((inside.key, value))
            kind, end, context = "object", _OBJECT + 2, "after object key:value pair"
        char = self._next()
        if char == _COMMA:
            self._at += 1
            if inside.key is not None:
                inside.key = self._key()
            return None
        if char != end:
            self._refuse(context)
        self._at += 1
        self._open.pop()
        return Value(kind, self._data[inside.start : self._at], tuple(inside.items), tuple(inside.members))

    def _string(self) -> None:
        self._at += 1
        while True:
            self._skip(_PLAIN)
            char = self._data[self._at : self._at + 1]
            if char == b'"':
                self._at += 1
                return
            if char != b"\\":
                self._refuse("in string literal")
            self._escape()

    def _escape(self) -> None:
        self._at += 1
        char = self._data[self._at : self._at + 1]
        if not char or char not in b'bfnrt\\/"u':
            self._refuse("in string escape code")
        self._at += 1
        for _ in range(4 if char == b"u" else 0):
            if not _HEX.match(self._data, self._at):
                self._refuse("in \\u hexadecimal character escape")
            self._at += 1

    def _literal(self, literal: bytes) -> None:
        for expected in literal:
            if self._data[self._at : self._at + 1] != bytes((expected,)):
                self._refuse(f"in literal {literal.decode()} (expecting {quoted_char(expected)})")
            self._at += 1

    def _number(self) -> None:
        if self._data[self._at] == _MINUS:
            self._at += 1
        if self._data[self._at : self._at + 1] == b"0":
            self._at += 1
        else:
            self._digits("in numeric literal")
        if self._data[self._at : self._at + 1] == b".":
            self._at += 1
            self._digits("after decimal point in numeric literal")
        if self._data[self._at : self._at + 1] in (b"e", b"E"):
            self._at += 1
            if self._data[self._at : self._at + 1] in (b"+", b"-"):
                self._at += 1
            self._digits("in exponent of numeric literal")

    def _digits(self, context: str) -> None:
        start = self._at
        self._skip(_DIGITS)
        if self._at == start:
            self._refuse(context)

    def _skip(self, pattern: re.Pattern[bytes]) -> None:
        match = pattern.match(self._data, self._at)
        assert match is not None
        self._at = match.end()


def quoted_char(byte: int) -> str:
    """A byte as Go shows it in a message: `'x'`, `'\\''`, `'"'`, `'\\n'`, `'\\x00'`, `'é'` for 0xe9."""
    if byte == 0x27:
        return r"'\''"
    return "'" + ('"' if byte == _QUOTE else quote(chr(byte))[1:-1]) + "'"


class Assignment:
    """Members of an object on their way into the fields of a struct.

    As in Go, names match in any case, `null` leaves a field alone, and the first value of a wrong type is the error while
    the rest is still read.
    """

    def __init__(self, struct: str, path: str = "") -> None:
        """`struct` is what Go calls it, `path` the field of an outer struct that it is the value of."""
        self._struct = struct
        self._path = path
        self.error: JSONError | None = None

    def members(self, value: Value, names: Mapping[str, Any]) -> "list[tuple[Any, str, Value]]":
        """For each member that is known: what `names` has for it, its name there, and the value."""
        found = []
        for key, member in value.members:
            name = key if key in names else key.casefold()
            if name in names and member.kind != "null":
                found.append((names[name], name, member))
        return found

    def string(self, value: Value, name: str, go_type: str = "string") -> str | None:
        """The text, or None after noting that the value is none."""
        if value.kind == "string":
            return value.text
        self.note(value, name, go_type)
        return None

    def integer(self, value: Value, name: str, go_type: str, low: int, high: int) -> int | None:
        """The number, or None after noting that it is none or does not fit."""
        if value.kind != "number":
            self.note(value, name, go_type)
            return None
        if value.raw.lstrip(b"-").isdigit() and len(value.raw) < 40:
            number = int(value.raw)
            if low <= number <= high and not (low == 0 and value.raw.startswith(b"-")):
                return number
        self.note(value, name, go_type, f"number {value.raw.decode()}")
        return None

    def number(self, value: Value, name: str) -> float | None:
        """The number as a float64, or None after noting that it is none or too large for one."""
        if value.kind != "number":
            self.note(value, name, "float64")
            return None
        number = float(value.raw)
        if isinf(number):
            self.note(value, name, "float64", f"number {value.raw.decode()}")
            return None
        return number

    def boolean(self, value: Value, name: str) -> bool | None:
        """Whether it is true, or None after noting that it is no bool."""
        if value.kind == "bool":
            return value.raw == b"true"
        self.note(value, name, "bool")
        return None

    def note(self, value: Value, name: str, go_type: str, shown: str | None = None) -> None:
        """Note a value of the wrong type."""
        if self.error is None:
            where = f"Go struct field {self._struct}.{self._path}{name} of type" if name else "Go value of type"
            self.error = JSONError(f"json: cannot unmarshal {shown or value.kind} into {where} {go_type}")
