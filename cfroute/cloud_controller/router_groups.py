"""Router groups: TCP routers that share their ports, and what follows for TCP domains and routes. Pure."""

from collections.abc import Container, Iterable
from random import Random

from cfroute.routing_api.api import RouterGroup

# What a foundation has until its Routing API was first seen: TCP domains can be made and used before the first start.
EXPECTED = "f7392031-a488-4890-8835-c4a038a3bded"


def ports(text: str) -> tuple[range, ...]:
    """The ranges of a list of ports like `1024-1123,2000`. Raises ValueError for what is none."""
    return tuple(_range(part) for part in text.split(",") if part)


def _range(text: str) -> range:
    first, dash, last = text.partition("-")
    return range(int(first), int(last if dash else first) + 1)


def reservable(text: str, port: int) -> bool:
    """Whether routes may have this port."""
    return any(port in each for each in ports(text))


def pick(text: str, taken: Container[int], chance: Random) -> int | None:
    """One of the ports that are free, any of them; None when there is none left."""
    free = [port for each in ports(text) for port in each if port not in taken]
    return chance.choice(free) if free else None


def successors(known: Iterable[RouterGroup], seen: Iterable[RouterGroup]) -> dict[str, str]:
    """The groups that have gone and are there again under another guid: old guid -> new guid.

    A routing database that was lost, or is another one now, gives its groups new guids; the domains mean the groups, though.
    """
    by_name = {group.name: group.guid for group in seen}
    there = set(by_name.values())
    return {each.guid: by_name[each.name] for each in known if each.guid not in there and each.name in by_name}
