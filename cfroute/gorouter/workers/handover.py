"""A whole table on its way to a worker, route by route, while it goes on changing."""

from collections.abc import Iterable, Iterator
from typing import Final

from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.workers.journal import put
from cfroute.gorouter.workers.messages import Drop, Gone, Message, Put

_AT_ONCE: Final = 100  # routes that are packed before others get their turn


class Handover:
    """What a worker has yet to get of the table that was there when it began to follow."""

    def __init__(self, pools: Iterable[Pool]) -> None:
        self._pools = list(pools)
        self._awaited = {pool.uri for pool in self._pools}

    def parts(self) -> Iterator[list[Put]]:
        """The routes as they are now, some at once."""
        while self._pools:
            part = [pool for pool in self._pools[-_AT_ONCE:] if pool.uri in self._awaited]
            del self._pools[-_AT_ONCE:]
            self._awaited.difference_update([pool.uri for pool in part])
            yield [put(pool, pool.endpoints) for pool in part]

    def covers(self, change: Message) -> bool:
        """Whether the worker need not be told of that change: the route will come later, as it is then, or not at all."""
        if not isinstance(change, Put | Drop | Gone) or change.uri not in self._awaited:
            return False
        if isinstance(change, Gone):
            self._awaited.discard(change.uri)
        return True
