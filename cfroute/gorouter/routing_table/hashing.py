"""Which endpoints a request prefers when its route is balanced by the hash of a header."""

from array import array
from collections.abc import Iterator, Sequence

from cfroute.gorouter.routing_table import maglev
from cfroute.gorouter.routing_table.endpoint import Endpoint


class Hashing:
    """The header and the balance that a pool was given, and the table of its endpoints.

    The table is made when a request first needs it after the endpoints have changed: that takes a millisecond or two, which
    a registration should not cost.
    """

    __slots__ = ("_endpoints", "_members", "_names", "_table", "balance", "header")

    def __init__(self, header: bytes, balance: float) -> None:
        """`header` is a canonical name; without one there is nothing to balance by."""
        self.header = header
        self.balance = balance
        self._endpoints: Sequence[Endpoint] = ()
        self._members: list[Endpoint] = []
        self._names: list[str] = []
        self._table: array[int] | None = None

    def order(self, endpoints: Sequence[Endpoint], value: bytes) -> Iterator[Endpoint]:
        """The endpoints, each once, as they follow in the table from the slot of the value. There must be at least one.

        `endpoints` is the pool's present tuple: as long as it is the same object, nothing is looked at anew.
        """
        if endpoints is not self._endpoints:
            self._note(endpoints)
        table, members = self._table, self._members
        assert table is not None
        start = maglev.slot(value)
        seen: set[int] = set()
        for at in range(start, start + maglev.SIZE):
            member = table[at % maglev.SIZE]
            if member not in seen:
                seen.add(member)
                yield members[member]
                if len(seen) == len(members):
                    return

    def _note(self, endpoints: Sequence[Endpoint]) -> None:
        by_name = {endpoint.instance_id or endpoint.address: endpoint for endpoint in endpoints}
        names = sorted(by_name)
        if names != self._names:
            self._names = names
            self._table = maglev.table(names)
        self._members = [by_name[name] for name in names]
        self._endpoints = endpoints

    def is_imbalanced(self, endpoint: Endpoint, endpoints: Sequence[Endpoint]) -> bool:
        """Whether the endpoint has more than its share of the requests under way."""
        if self.balance <= 0:
            return False
        under_way = sum(other.backend.connections for other in endpoints)
        return endpoint.backend.connections * len(endpoints) > self.balance * under_way

    def __repr__(self) -> str:
        return f"<Hashing by {self.header.decode()} balance={self.balance}>"
