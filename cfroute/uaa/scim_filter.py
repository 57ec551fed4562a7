"""SCIM filters, as in `GET /Users?filter=userName eq "bob" and origin eq "uaa"`. Pure.

The grammar is SCIM 1.1's: `and` binds tighter than `or`, `not` takes one term, parentheses group; attributes, operators and
words are the same in any case, and so are the texts that are compared (the UAA compares in its database, which says so).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<quoted>'[^']*')|(?P<mark>[()])|(?P<word>[^\s()"]+))""", re.DOTALL
)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][\w.:\-$]*")
_OPERATORS: Final = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})
_DEEPEST: Final = 50  # parentheses


class FilterError(ValueError):
    """It is no filter."""


class Comparison(NamedTuple):
    """An attribute, compared with a value; `pr` (is present) has none."""

    attribute: str
    operator: str
    value: Any = None


class Both(NamedTuple):
    """`and`"""

    terms: "tuple[Filter, ...]"


class Either(NamedTuple):
    """`or`"""

    terms: "tuple[Filter, ...]"


class Negation(NamedTuple):
    """`not`"""

    term: "Filter"


Filter = Comparison | Both | Either | Negation


def parse(text: str) -> Filter:
    """Raises FilterError."""
    reader = _Reader(list(_tokens(text)))
    found = reader.either(0)
    if reader.peek() is not None:
        raise FilterError(f"unexpected {reader.peek()}")
    return found


def matches(wanted: Filter, thing: Mapping[str, Any]) -> bool:
    """Whether the filter holds for a resource, which is as in its JSON."""
    match wanted:
        case Both(terms):
            return all(matches(term, thing) for term in terms)
        case Either(terms):
            return any(matches(term, thing) for term in terms)
        case Negation(term):
            return not matches(term, thing)
        case Comparison(attribute, operator, value):
            values = list(_values(thing, attribute.lower().split(".")))
            if operator == "pr":
                return any(each not in (None, "") for each in values)
            if operator == "ne":
                return not any(_compare("eq", each, value) for each in values)
            return any(_compare(operator, each, value) for each in values)


def comparisons(wanted: Filter) -> Iterator[Comparison]:
    """All that are in it."""
    match wanted:
        case Both(terms) | Either(terms):
            for term in terms:
                yield from comparisons(term)
        case Negation(term):
            yield from comparisons(term)
        case Comparison():
            yield wanted


def required(wanted: Filter, attribute: str) -> str | None:
    """The text that the attribute has to equal in whatever matches, if the filter says so: that can be looked up."""
    match wanted:
        case Comparison(name, "eq", str(value)) if name.lower() == attribute.lower():
            return value
        case Both(terms):
            found = (required(term, attribute) for term in terms)
            return next((value for value in found if value is not None), None)
    return None


class _Reader:
    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def either(self, depth: int) -> Filter:
        terms = [self._both(depth)]
        while self._take("or"):
            terms.append(self._both(depth))
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def _both(self, depth: int) -> Filter:
        terms = [self._term(depth)]
        while self._take("and"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else Both(tuple(terms))

    def _term(self, depth: int) -> Filter:
        if depth > _DEEPEST:
            raise FilterError("too many parentheses")
        if self._take("not"):
            return Negation(self._term(depth + 1))
        if self._take("("):
            inner = self.either(depth + 1)
            if not self._take(")"):
                raise FilterError("missing )")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        attribute, operator = self._next(), self._next().lower()
        if not _ATTRIBUTE.fullmatch(attribute):
            raise FilterError(f"no attribute: {attribute}")
        if operator == "pr":
            return Comparison(attribute, operator)
        if operator not in _OPERATORS:
            raise FilterError(f"no operator: {operator}")
        return Comparison(attribute, operator, _value(self._next()))

    def _next(self) -> str:
        token = self.peek()
        if token is None:
            raise FilterError("unexpected end")
        self._at += 1
        return token

    def _take(self, word: str) -> bool:
        token = self.peek()
        if token is None or token.lower() != word:
            return False
        self._at += 1
        return True


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise FilterError(f"cannot be read from character {at + 1} on")
        yield found[0].lstrip()
        at = found.end()


def _value(token: str) -> Any:
    """A JSON value that is no list or object; words in single quotes were once allowed, and still are."""
    if len(token) > 1 and token[0] == token[-1] == "'":
        return token[1:-1]
    try:
        value = msgspec.json.decode(token)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise FilterError(f"no value: {token}") from error
    if isinstance(value, list | dict):
        raise FilterError(f"no value: {token}")
    return value


def _values(thing: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands at the path, in every element of lists on the way; of objects at its end their `value`."""
    if isinstance(thing, list):
        for each in thing:
            yield from _values(each, path)
    elif isinstance(thing, Mapping):
        wanted = path[0] if path else "value"
        for name, value in thing.items():
            if name.lower() == wanted:
                yield from _values(value, path[1:])
    elif not path:
        yield thing


def _compare(operator: str, have: Any, want: Any) -> bool:
    if isinstance(have, str) and isinstance(want, str):
        have, want = have.lower(), want.lower()
        if operator in ("co", "sw", "ew"):
            return bool({"co": want in have, "sw": have.startswith(want), "ew": have.endswith(want)}[operator])
    elif not _alike(have, want):
        return False
    match operator:
        case "eq":
            return bool(have == want)
        case "gt":
            return bool(have > want)
        case "ge":
            return bool(have >= want)
        case "lt":
            return bool(have < want)
        case "le":
            return bool(have <= want)
    return False


def _alike(have: Any, want: Any) -> bool:
    """Whether two values that are not both texts can be compared."""
    if isinstance(have, bool) or isinstance(want, bool) or have is None or want is None:
        return type(have) is type(want) and have is not None
    return isinstance(have, int | float) and isinstance(want, int | float)
