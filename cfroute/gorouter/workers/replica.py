"""A worker's copy of its router's table, made of what the parent tells."""

from sys import intern

from cfroute.gorouter.routing_table.endpoint import NO_TAG, Backend, Endpoint, ModificationTag
from cfroute.gorouter.routing_table.pool import HASH, Pool
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.routing_table.route_options import NO_OPTIONS, RouteOptions
from cfroute.gorouter.workers.messages import Drop, Freed, Gone, Marked, Member, Put

Change = Put | Drop | Gone | Freed | Marked


class Replica:
    """Applies changes to a registry that nobody else changes. What is told twice does no harm."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._backends: dict[int, Backend] = {}

    def apply(self, change: Change, now: float) -> None:
        """Do what the parent did; now is in monotonic seconds."""
        if isinstance(change, Put):
            self._put(change, now)
        elif isinstance(change, Freed):
            self._backends.pop(change.slot, None)
        elif (pool := self._registry.at(change.uri)) is not None:
            self._change(pool, change, now)

    def _put(self, told: Put, now: float) -> None:
        registry = self._registry
        pool = registry.at(told.uri) or registry.create(intern(told.uri), told.host, told.context_path, now)
        for member in told.members:
            pool.put(self._endpoint(member), now)
        pool.route_service_url = intern(told.route_service_url)
        header, balance = told.hashed_by or (b"", 0.0)
        if told.load_balancing != pool.load_balancing or told.load_balancing == HASH:
            pool.balance(RouteOptions(told.load_balancing, header.decode(), balance))

    def _endpoint(self, member: Member) -> Endpoint:
        guid, index = member.tag
        endpoint = Endpoint(
            host=member.host,
            port=member.port,
            tls=member.tls,
            protocol=member.protocol,
            app=member.app,
            instance_id=member.instance_id,
            instance_index=member.instance_index,
            tags=member.tags,
            ttl=member.ttl,
            route_service_url=member.route_service_url,
            isolation_segment=member.isolation_segment,
            san=member.san,
            availability_zone=member.availability_zone,
            updated_at_ns=member.updated_at_ns,
            modification_tag=ModificationTag(guid, index) if guid else NO_TAG,
            options=NO_OPTIONS if member.options == NO_OPTIONS else member.options,
        )
        if member.slot >= 0:
            backend = self._backends.get(member.slot)
            if backend is None:
                backend = self._backends[member.slot] = endpoint.backend
                backend.slot = member.slot
            endpoint.backend = backend
        return endpoint

    def _change(self, pool: Pool, change: Drop | Gone | Marked, now: float) -> None:
        if isinstance(change, Gone):
            self._registry.forget(pool)
            return
        addresses = change.addresses if isinstance(change, Drop) else [change.address]
        for address in addresses:
            endpoint = pool.find(address)
            if endpoint is None or endpoint.address != address:
                continue
            if isinstance(change, Drop):
                pool.discard(endpoint, now)
            else:
                pool.mark_failed(endpoint, now)
