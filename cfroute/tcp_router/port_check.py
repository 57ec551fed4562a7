"""Whether a router group may give ports to routes that components of the system need for themselves."""

from collections.abc import Iterable, Iterator, Sequence

from cfroute.routing_api.api import RouterGroup


def conflicts(groups: Iterable[RouterGroup], reserved: Sequence[int]) -> str:
    """What is wrong, in upstream's words, a line for each group; empty if nothing is. Raises ValueError for odd ranges."""
    return "\n".join(_told(groups, reserved))


def _told(groups: Iterable[RouterGroup], reserved: Sequence[int]) -> Iterator[str]:
    for group in groups:
        ranges = list(_ranges(group.reservable_ports))
        taken = [str(port) for port in reserved if any(first <= port <= last for first, last in ranges)]
        if taken:
            yield (
                f"The reserved ports for router group '{group.name}' contains the following reserved system component port(s): "
                f"'{', '.join(taken)}'. Please update your router group accordingly."
            )


def _ranges(ports: str) -> Iterator[tuple[int, int]]:
    for part in filter(None, ports.split(",")):
        first, _, last = part.partition("-")
        yield int(first), int(last or first)
