"""Router groups and the ports that may be reserved in them, by upstream's rules and in its words."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from cfroute.routing_api.api import RouterGroup

LOWEST, HIGHEST = 1024, 65535
_OUT_OF_RANGE: Final = f"Port must be between {LOWEST} and {HIGHEST}"


class GroupError(ValueError):
    """A router group cannot be as it is said to be."""


class Ports(NamedTuple):
    """A range of ports, or one port."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"[{self.first}-{self.last}]"

    def overlaps(self, other: "Ports") -> bool:
        return self.first <= other.last and other.first <= self.last


def check(groups: Iterable[RouterGroup], reserved: Collection[int]) -> None:
    """Raises GroupError unless all groups are well-formed and keep off the `reserved` ports."""
    for group in groups:
        if not group.name:
            raise GroupError("Missing name in router group")
        if not group.type:
            raise GroupError("Missing type in router group")
        if not group.reservable_ports:
            if group.type == "tcp":
                raise GroupError(f"Missing reservable_ports in router group: {group.name}")
            continue
        if group.type == "http":
            raise GroupError("Reservable ports are not supported for router groups of type http")
        _check_reserved(parse(group.reservable_ports), reserved)


def parse(text: str) -> list[Ports]:
    """The ranges of a list like `1024-1030,2000`. Raises GroupError."""
    ranges = [_range(part) for part in text.split(",")]
    for number, one in enumerate(ranges):
        for other in ranges[number + 1 :]:
            if one.overlaps(other):
                raise GroupError(f"Overlapping values: {one} and {other}")
    return ranges


def _range(text: str) -> Ports:
    ends = text.split("-")
    if len(ends) > 2:
        raise GroupError(f"range ({text}) has too many '-' separators")
    if len(ends) == 1:
        port = _port(text)
        return Ports(port, port)
    if not ends[0]:
        raise GroupError(f"range ({text}) requires a starting port")
    if not ends[1]:
        raise GroupError(f"range ({text}) requires an ending port")
    first, last = _port(ends[0]), _port(ends[1])
    if first > last:
        raise GroupError(f"range ({text}) must be in ascending numeric order")
    return Ports(first, last)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 20 and LOWEST <= int(text) <= HIGHEST):
        raise GroupError(_OUT_OF_RANGE)
    return int(text)


def _check_reserved(ranges: Sequence[Ports], reserved: Collection[int]) -> None:
    taken = [port for port in reserved if any(each.first <= port <= each.last for each in ranges)]
    if taken:
        shown = " ".join(map(str, taken))
        raise GroupError(
            f"Invalid ports. Reservable ports must not include the following reserved system component ports: [{shown}]."
        )
