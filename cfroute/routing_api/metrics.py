"""What is counted: routes, listeners to the event streams, refused tokens. Names and order are upstream's."""

from collections.abc import Sequence
from typing import Protocol

from cfroute.routing_api.api import DELETE, AnyEvent, AnyRoute, Route
from cfroute.routing_api.statsd import Statsd


class Counts(Protocol):
    """What the reporter asks for."""

    async def count(self, kind: type[AnyRoute]) -> int:
        """How many living routes of a kind there are."""


class Errors(Protocol):
    """Counters of whoever checks tokens."""

    token_errors: int
    key_refreshes: int


class Metrics:
    """Reports to statsd: each change at once, the totals every now and then."""

    def __init__(self, statsd: Statsd) -> None:
        self._statsd = statsd

    def start(self) -> None:
        """Nobody listens yet."""
        for kind in ("http", "tcp"):
            self._statsd.gauge(f"total_{kind}_subscriptions", 0)

    def subscription(self, kind: type[AnyRoute], by: int) -> None:
        """Somebody began (1) or ceased (-1) to listen."""
        self._statsd.change(f"total_{_name(kind)}_subscriptions", by)

    def events(self, events: Sequence[AnyEvent]) -> None:
        """Routes came, went, or were renewed."""
        for event in events:
            new = event.route.modification_tag.index == 0
            by = -1 if event.action == DELETE else int(new)
            self._statsd.change(f"total_{_name(type(event.route))}_routes", by)

    async def report(self, counts: Counts, errors: Errors, kinds: Sequence[type[AnyRoute]]) -> None:
        """Send the totals. Raises ApiError."""
        for kind in kinds:
            self._statsd.gauge(f"total_{_name(kind)}_routes", await counts.count(kind))
            self._statsd.change(f"total_{_name(kind)}_subscriptions", 0)
        self._statsd.gauge("total_token_errors", errors.token_errors)
        self._statsd.gauge("key_refresh_events", errors.key_refreshes)


def _name(kind: type[AnyRoute]) -> str:
    return "http" if kind is Route else "tcp"
