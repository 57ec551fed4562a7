"""What changes in a router's table, as the messages by which its workers' tables follow."""

from collections.abc import Callable
from typing import Any, NamedTuple

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.hashing import Hashing
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.workers.messages import Drop, Freed, Gone, Member, Message, Put
from cfroute.gorouter.workers.slots import Slots


class _Look(NamedTuple):
    """What of a pool may change. Its endpoints are a new tuple after each change."""

    endpoints: tuple[Endpoint, ...]
    load_balancing: str
    hashing: Hashing | None
    route_service_url: str


class Journal:
    """Compares pools before and after what was done to them. A registration that is only repeated makes no message."""

    def __init__(self, tell: Callable[[Message], object], slots: Slots) -> None:
        """`tell` gets each message in order."""
        self._tell = tell
        self._slots = slots

    def look(self, pool: Pool) -> Any:
        """What `compare` has to be given afterwards."""
        return _Look(pool.endpoints, pool.load_balancing, pool.hashing, pool.route_service_url)

    def compare(self, pool: Pool, before: Any) -> None:
        """Tell what is not as `look` has seen it."""
        now = _Look(pool.endpoints, pool.load_balancing, pool.hashing, pool.route_service_url)
        if now == before:
            return
        old, new = before.endpoints, now.endpoints
        gone = [endpoint for endpoint in old if endpoint not in new] if len(old) < 2 else sorted_out(old, new)
        come = [endpoint for endpoint in new if endpoint not in old] if len(new) < 2 else sorted_out(new, old)
        for endpoint in come:
            self._slots.hold(endpoint.backend)
        if come or not gone or now[1:] != before[1:]:
            self._tell(put(pool, come))
        addresses = {endpoint.address for endpoint in come}
        if dropped := [endpoint.address for endpoint in gone if endpoint.address not in addresses]:
            self._tell(Drop(pool.uri, dropped))
        for endpoint in gone:
            self._release(endpoint)

    def forgot(self, pool: Pool) -> None:
        """The route is out of the table. It may still have had endpoints."""
        self._tell(Gone(pool.uri))
        for endpoint in pool.endpoints:
            self._release(endpoint)

    def _release(self, endpoint: Endpoint) -> None:
        slot = self._slots.release(endpoint.backend)
        if slot is not None:
            self._tell(Freed(slot))


def sorted_out(all_of: tuple[Endpoint, ...], known: tuple[Endpoint, ...]) -> list[Endpoint]:
    """Those that are not known."""
    others = frozenset(known)
    return [endpoint for endpoint in all_of if endpoint not in others]


def put(pool: Pool, endpoints: tuple[Endpoint, ...] | list[Endpoint]) -> Put:
    """The pool as it is, with these of its endpoints."""
    hashing = pool.hashing
    return Put(
        pool.uri,
        pool.host,
        pool.context_path,
        pool.load_balancing,
        (hashing.header, hashing.balance) if hashing is not None else None,
        pool.route_service_url,
        [_member(endpoint) for endpoint in endpoints],
    )


def _member(endpoint: Endpoint) -> Member:
    tag = endpoint.modification_tag
    return Member(
        endpoint.host,
        endpoint.port,
        endpoint.tls,
        endpoint.protocol,
        endpoint.app,
        endpoint.instance_id,
        endpoint.instance_index,
        None if endpoint.tags is None else dict(endpoint.tags),
        endpoint.ttl,
        endpoint.route_service_url,
        endpoint.isolation_segment,
        endpoint.san,
        endpoint.availability_zone,
        endpoint.updated_at_ns,
        (tag.guid, tag.index),
        endpoint.options,
        endpoint.backend.slot,
    )
