"""What the Routing API does with routes and router groups: check, write, tell. Knows no HTTP."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from cfroute.lager import Lager
from cfroute.routing_api import router_groups, validation
from cfroute.routing_api.api import AnyEvent, AnyRoute, Event, R, Route, RouterGroup, TcpRoute
from cfroute.routing_api.backup import BackupLocks
from cfroute.routing_api.config import Config
from cfroute.routing_api.database import Database
from cfroute.routing_api.errors import not_found, unprocessable
from cfroute.routing_api.hub import Hub
from cfroute.routing_api.metrics import Metrics
from cfroute.routing_api.migrations import migrate
from cfroute.routing_api.router_groups import GroupError
from cfroute.routing_api.store import Store
from cfroute.routing_api.tables import HTTP, TCP, Mapped

PRUNE_INTERVAL: Final = 10.0  # s, upstream's


class Service:
    """The routing database with its rules, and everybody who wants to hear of changes. Everything raises ApiError."""

    def __init__(self, config: Config, database: Database, store: Store, metrics: Metrics) -> None:
        self._max_ttl = config.ttl
        self._reserved = config.reserved_ports
        self._seeds = [seed.group for seed in config.router_groups]
        self._seeds_win = config.cfroute.update_router_groups
        self._database = database
        self._store = store
        self._metrics = metrics
        self.backup = BackupLocks()
        self.http_events = Hub(Route, lambda by: metrics.subscription(Route, by))
        self.tcp_events = Hub(TcpRoute, lambda by: metrics.subscription(TcpRoute, by))

    @property
    def max_ttl(self) -> int:
        """The longest, and the usual time to live, in seconds."""
        return self._max_ttl

    # Start

    async def prepare(self, log: Lager) -> None:
        """Bring the tables up to date, and the configured router groups into an empty one. Raises SQLAlchemyError."""
        await self._database.run(lambda engine: migrate(engine, log.session("migration")))
        seeding = log.session("seeding")
        await self._database.run(lambda engine: self._seed(engine.begin(), seeding))

    def _seed(self, transaction: AbstractContextManager[Connection], log: Lager) -> None:
        with transaction as connection:
            if self._seeds and not self._store.groups(connection):
                for group in self._seeds:
                    log.info("seeding", **{"router-group": self._store.add_group(connection, group)})
            elif self._seeds_win:
                self._update(connection, log)

    def _update(self, connection: Connection, log: Lager) -> None:
        """Give the groups the ports that they have in the file."""
        ports = {seed.name: seed.reservable_ports for seed in self._seeds}
        for group in self._store.groups(connection):
            wanted = ports.get(group.name, group.reservable_ports)
            if wanted != group.reservable_ports:
                updated = msgspec.structs.replace(group, reservable_ports=wanted)
                self._store.save_group(connection, updated)
                log.info("updating", **{"router-group": updated})

    # HTTP routes

    async def routes(self) -> list[Route]:
        return await self._database.read(lambda connection: self._store.routes(connection, HTTP))

    async def upsert_routes(self, routes: Sequence[Route]) -> None:
        validation.check_routes(routes, self._max_ttl)
        await self._write(lambda connection: self._store.upsert(connection, HTTP, routes))

    async def delete_routes(self, routes: Sequence[Route]) -> None:
        validation.check_routes_to_delete(routes)
        await self._write(lambda connection: self._store.delete(connection, HTTP, routes))

    # TCP routes

    async def tcp_routes(self, segments: Sequence[str] = ()) -> list[TcpRoute]:
        """The TCP routes of the isolation segments ("" is those of none), or of all."""
        found = await self._database.read(lambda connection: self._store.routes(connection, TCP))
        return [route for route in found if route.isolation_segment in segments] if segments else found

    async def upsert_tcp_routes(self, routes: Sequence[TcpRoute]) -> None:
        self.backup.check_read()

        def work(connection: Connection) -> list[Event[TcpRoute]]:
            groups = {group.guid for group in self._store.groups(connection)}
            validation.check_tcp_routes(routes, groups, self._max_ttl)
            return self._store.upsert(connection, TCP, routes, lambda near: validation.check_frontends(near, routes))

        await self._write(work)

    async def delete_tcp_routes(self, routes: Sequence[TcpRoute]) -> None:
        validation.check_tcp_routes_to_delete(routes)
        await self._write(lambda connection: self._store.delete(connection, TCP, routes))

    # Router groups

    async def groups(self, name: str = "") -> list[RouterGroup]:
        """All groups, or a list of the one of that name."""
        if name and self.backup.reads_locked:  # upstream takes the failure for an absence
            raise not_found(f"Router Group '{name}' not found")
        self.backup.check_read()
        found = await self._database.read(lambda connection: self._store.groups(connection, name))
        if name and not found:
            raise not_found(f"Router Group '{name}' not found")
        return found

    async def create_group(self, wanted: RouterGroup) -> tuple[RouterGroup, bool]:
        """The group of that name and type, and whether it is new."""
        self.backup.check_write()

        def work(connection: Connection) -> tuple[RouterGroup, bool]:
            groups = self._store.groups(connection)
            for group in groups:
                if (group.name, group.type) == (wanted.name, wanted.type):
                    return group, False
            self._check([*groups, wanted])
            return self._store.add_group(connection, wanted), True

        return await self._database.write(work)

    async def update_group(self, guid: str, ports: str) -> RouterGroup:
        """Change the ports that may be reserved."""
        self.backup.check_write()

        def work(connection: Connection) -> RouterGroup:
            group = self._store.group(connection, guid)
            if group is None:
                raise not_found(f"Router Group '{guid}' does not exist")
            if group.reservable_ports == ports:
                return group
            changed = RouterGroup(group.guid, group.name, group.type, ports)
            self._check([changed])
            self._store.save_group(connection, changed)
            return changed

        return await self._database.write(work)

    async def delete_group(self, guid: str) -> bool:
        """Delete a group; whether it was there."""
        self.backup.check_write()
        return await self._database.write(lambda connection: self._store.delete_group(connection, guid))

    def _check(self, groups: Sequence[RouterGroup]) -> None:
        try:
            router_groups.check(groups, self._reserved)
        except GroupError as error:
            raise unprocessable(error) from error

    # What happens to routes

    async def prune(self, log: Lager) -> None:
        """Delete what has expired."""
        await self._prune(TCP, log)
        await self._prune(HTTP, log)

    async def _prune(self, mapped: Mapped[R], log: Lager) -> None:
        gone = await self._write(lambda connection: self._store.prune(connection, mapped))
        log.info(f"successfully-finished-pruning-{mapped.name}-routes", rowsAffected=len(gone))

    async def count(self, kind: type[AnyRoute]) -> int:
        """How many living routes of a kind there are."""
        mapped: Mapped[Any] = HTTP if kind is Route else TCP
        return await self._database.read(lambda connection: self._store.count(connection, mapped))

    async def _write(self, work: Callable[[Connection], list[Event[R]]]) -> list[Event[R]]:
        return await self._database.write(work, self._tell)

    def _tell(self, events: Sequence[AnyEvent]) -> None:
        self.http_events.publish(events)
        self.tcp_events.publish(events)
        self._metrics.events(events)
