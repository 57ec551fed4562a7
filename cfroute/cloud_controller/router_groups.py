"""The router group of the TCP router: which ports TCP routes may have."""

from typing import NamedTuple


class RouterGroup(NamedTuple):
    """TCP routers that share their ports; routes may reserve those in `reservable_ports`."""

    guid: str
    name: str
    type: str
    reservable_ports: range


DEFAULT_TCP = RouterGroup("f7392031-a488-4890-8835-c4a038a3bded", "default-tcp", "tcp", range(1024, 1124))
ALL = (DEFAULT_TCP,)


def find(guid: str | None) -> RouterGroup | None:
    return next((group for group in ALL if group.guid == guid), None)
