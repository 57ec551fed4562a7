"""Header fields as Go's net/http keeps them: canonical name -> values in order of arrival.

Upstream's routers are Go programs, and what they show on the wire (names in canonical form, sorted) is what clients and
tests have come to expect; so this follows Go's `textproto` and `http.Header` rather than the RFC's "any order, any case".
"""

import re
from typing import Final

TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

_CACHE_LIMIT: Final = 4096
_LONGEST_KNOWN: Final = 96  # bytes of a line or name that is remembered
_MOST_NAMES: Final = 64  # in a set of names whose order is remembered
_canonical: dict[bytes, bytes] = {}

_orders: Final[dict[tuple[bytes, ...], list[bytes]]] = {}

Field = tuple[bytes, tuple[bytes]]
Fields = dict[bytes, tuple[bytes, ...]]
"""What `Headers` are, for code that is compiled: of a plain dictionary it knows how to look things up without asking."""
known_fields: Final[dict[bytes, Field]] = {}
"""Lines that were seen before -> canonical name and value: most of a request's lines are those of the request before."""

# What a proxy must not pass on (RFC 9110 section 7.6.1, and the list of Go's reverse proxy).
HOP_BY_HOP: Final = frozenset(
    (
        b"Connection",
        b"Proxy-Connection",
        b"Keep-Alive",
        b"Proxy-Authenticate",
        b"Proxy-Authorization",
        b"Te",
        b"Trailer",
        b"Transfer-Encoding",
        b"Upgrade",
    )
)


_KEEP_ALIVE: Final = (b"keep-alive",)


def canonical(name: bytes) -> bytes:
    """The name as Go writes it: `x-forwarded-FOR` -> `X-Forwarded-For`. A name that is no token stays as it is."""
    known = _canonical.get(name)
    if known is not None:
        return known
    result = name
    if TOKEN.fullmatch(name):
        result = b"-".join(part.capitalize() for part in name.split(b"-"))
    if len(_canonical) < _CACHE_LIMIT and len(name) <= _LONGEST_KNOWN:  # bounded: clients choose the names
        _canonical[name] = result
    return result


def split_field(line: bytes) -> Field:
    """Canonical name and value of a well-formed line (without its end). Remembered in `known_fields`, if it is short."""
    name, _, value = line.partition(b":")
    field = canonical(name), (value.strip(b" \t"),)
    if len(line) <= _LONGEST_KNOWN:
        if len(known_fields) >= _CACHE_LIMIT:  # bounded: clients choose the lines
            known_fields.clear()
        known_fields[line] = field
    return field


class Headers(dict[bytes, tuple[bytes, ...]]):
    """Canonical name -> values. Use canonical names; whoever fills it from the wire sees to that."""

    __slots__ = ()

    def first(self, name: bytes) -> bytes:
        """The first value, or b"" where there is none."""
        values = self.get(name)
        return values[0] if values else b""

    def add(self, name: bytes, value: bytes) -> None:
        """Append a value."""
        self[name] = (*self.get(name, ()), value)

    def lines(self) -> bytes:
        """All fields as they go on the wire, sorted by name, each with its line end."""
        fields: Fields = self
        lines: list[bytes] = []
        for name in in_order(fields):
            for value in fields[name]:
                lines.append(b"%b: %b\r\n" % (name, value))
        return b"".join(lines)

    def tokens(self, name: bytes) -> list[bytes]:
        """The elements of a comma-separated field, in lower case, over all its lines."""
        return [token.strip(b" \t").lower() for value in self.get(name, ()) for token in value.split(b",") if token]


def in_order(fields: Fields) -> list[bytes]:
    """The names in the order of the wire. The same few sets of names come again and again, so what was sorted is remembered."""
    names = tuple(fields)
    known = _orders.get(names)
    if known is None:
        known = sorted(names)
        if len(names) <= _MOST_NAMES:  # bounded: clients choose the names
            if len(_orders) >= _CACHE_LIMIT:
                _orders.clear()
            _orders[names] = known
    return known


class Message:
    """What heads of requests and of responses have in common.

    hop_by_hop is how many fields concern only the connection that they came on, as far as it was counted (else negative): who
    reads the same head again and again has it counted once.
    """

    headers: Headers
    hop_by_hop = -1

    def count_hop_by_hop(self) -> None:
        self.hop_by_hop = len(HOP_BY_HOP.intersection(self.headers))

    def remove_hop_by_hop(self) -> None:
        """Drop what only concerned the connection that the message came on: the fields named by `Connection`, and the set."""
        if self.hop_by_hop < 0:
            self.count_hop_by_hop()
        left = self.hop_by_hop
        if not left:
            return
        fields: Fields = self.headers
        connection = fields.get(b"Connection")
        if connection is not None:
            del fields[b"Connection"]
            left -= 1
            if connection != _KEEP_ALIVE:
                _remove_named(fields, connection)
        if left:
            for name in HOP_BY_HOP:
                fields.pop(name, None)
        self.hop_by_hop = 0


def _remove_named(fields: Fields, connection: tuple[bytes, ...]) -> None:
    for value in connection:
        for token in value.split(b","):
            fields.pop(canonical(token.strip(b" \t")), None)
