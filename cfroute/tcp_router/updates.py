"""What events and bulk syncs do to the table, by upstream's rules.

While all routes are fetched, events wait: they are newer than the list that is on its way, and are applied after it.
"""

from collections.abc import Sequence

from cfroute.lager import Lager
from cfroute.routing_api.api import DELETE, UPSERT, Event, TcpRoute
from cfroute.tcp_router.table import Outcome, RoutingTable


class Updater:
    """Applies what the Routing API says. Each method returns whether the engine has to hear of it; times are monotonic."""

    def __init__(self, table: RoutingTable, log: Lager, *, exact_sync: bool) -> None:
        """With `exact_sync`, a sync leaves what was listed, and not only when the number of routing keys differs."""
        self._table = table
        self._log = log
        self._exact = exact_sync
        self._waiting: list[Event[TcpRoute]] = []
        self._in_touch_since: float | None = None
        self.syncing = False
        self.synced: float | None = None
        """When the last sync was completed."""

    def handle(self, event: Event[TcpRoute], now: float) -> bool:
        """Apply an event, or keep it for the end of the sync."""
        if self.syncing:
            self._log.debug("caching-events")
            self._waiting.append(event)
            return False
        return self._apply(event, now)

    def begin_sync(self) -> None:
        """All routes are about to be asked for. One of the two below has to follow."""
        self.syncing = True

    def abandon_sync(self, now: float, log: Lager) -> bool:
        """They could not be had: everything stays, but for what events have said meanwhile."""
        self.lose_touch()
        return self._catch_up(now, log)

    def finish_sync(self, routes: Sequence[TcpRoute], now: float, log: Lager) -> bool:
        """These are all routes."""
        fresh = RoutingTable()
        changed = False
        for route in routes:
            changed = self._table.upsert(route, now) is Outcome.CHANGED or changed
            fresh.upsert(route, now)
        if len(fresh) != len(self._table):
            log.debug("routing-table-size-discrepency")
            self._table.replace(fresh)
            changed = True
        elif self._exact and not self._table.same_backends(fresh):
            self._table.replace(fresh)
            changed = True
        self.synced = now
        if self._in_touch_since is None:
            self._in_touch_since = now
        return self._catch_up(now, log) or changed

    def lose_touch(self) -> None:
        """The Routing API is away: until the next sync nothing becomes stale, for nobody could renew it."""
        self._in_touch_since = None

    def prune(self, now: float, usual_ttl: float) -> bool:
        """Remove what nobody has renewed."""
        log = self._log.session("prune-stale-routes")
        log.debug("starting")
        in_touch = self._in_touch_since is not None and not self.syncing
        removed = self._table.prune(now, usual_ttl, self._in_touch_since or 0.0) if in_touch else 0
        log.debug("completed", removed=removed)
        return removed > 0

    def _catch_up(self, now: float, log: Lager) -> bool:
        """Apply the events that have waited."""
        self.syncing = False
        waiting, self._waiting = self._waiting, []
        log.debug("applying-cached-events", cache_size=len(waiting))
        changes = [self._apply(event, now) for event in waiting]
        return any(changes)

    def _apply(self, event: Event[TcpRoute], now: float) -> bool:
        log = self._log.session("handle-event", event={"TcpRouteMapping": event.route, "Action": event.action})
        log.debug("starting")
        changed = self._changes(event, now, log)
        if changed:
            log.debug("calling-configurer")
        log.debug("finished")
        return changed

    def _changes(self, event: Event[TcpRoute], now: float, log: Lager) -> bool:
        if event.action == UPSERT:
            outcome = self._table.upsert(event.route, now)
        elif event.action == DELETE:
            outcome = self._table.delete(event.route)
        else:
            log.info("unknown-event-action")
            return False
        if outcome is Outcome.STALE:
            log.debug("skipping-stale-event")
        return outcome is Outcome.CHANGED
