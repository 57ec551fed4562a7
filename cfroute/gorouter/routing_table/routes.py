"""Where the pools of all routes are kept, and how the one for a request is found.

Most hosts have one route and no paths: then one dictionary lookup with the `Host` header as it was sent answers the
request. Hosts with path routes also have a tree of path segments in `_trees`. What neither answers is looked up again with
the key's wildcards.
"""

from collections.abc import Iterator, Sequence

from cfroute.gorouter.routing_table import route_key
from cfroute.gorouter.routing_table.pool import Pool


class _Node:
    """One segment of a key: its route, if there is one, and the segments that follow."""

    __slots__ = ("children", "pool")

    def __init__(self) -> None:
        self.pool: Pool | None = None
        self.children: dict[str, _Node] = {}


class Routes:
    """Pools by route key."""

    __slots__ = ("_pools", "_trees")

    def __init__(self) -> None:
        self._pools: dict[str, Pool] = {}
        self._trees: dict[str, _Node] = {}

    def __len__(self) -> int:
        return len(self._pools)

    def __iter__(self) -> Iterator[Pool]:
        return iter(self._pools.values())

    def get(self, key: str) -> Pool | None:
        """The pool of exactly this route."""
        return self._pools.get(key)

    def add(self, pool: Pool) -> None:
        """Keep the pool under its `uri`."""
        self._pools[pool.uri] = pool
        host, path = _split(pool.uri)
        tree = self._trees.get(host)
        if tree is None:
            # A key with a port must not be found with a bare `Host` header, so it gets a tree as well.
            if not path and ":" not in host:
                return
            tree = self._trees[host] = _Node()
            tree.pool = self._pools.get(host)
        for segment in path:
            child = tree.children.get(segment)
            if child is None:
                child = tree.children[segment] = _Node()
            tree = child
        tree.pool = pool

    def remove(self, pool: Pool) -> None:
        """Forget the pool, and the nodes that only led to it."""
        del self._pools[pool.uri]
        host, path = _split(pool.uri)
        tree = self._trees.get(host)
        if tree is None:
            return
        _cut(tree, path)
        if not tree.children and (tree.pool is None or ":" not in host):
            del self._trees[host]

    def lookup(self, host: str, path: str) -> Pool | None:
        """The pool for a request: `Host` as it was sent, and the escaped path."""
        pool = self._pools.get(host)
        if pool is not None and pool.endpoints and host not in self._trees:
            return pool
        return self._search(route_key.request_key(host, path))

    def match(self, key: str) -> Pool | None:
        """The deepest route at or above the key that has endpoints, else an empty one that the key itself leads to."""
        host, path = _split(key)
        node = self._trees.get(host)
        if node is None:
            return self._pools.get(host)
        deepest = node.pool if node.pool is not None and node.pool.endpoints else None
        for segment in path:
            child = node.children.get(segment)
            if child is None:
                break
            node = child
            if node.pool is not None and node.pool.endpoints:
                deepest = node.pool
        return deepest or node.pool

    def _search(self, key: str) -> Pool | None:
        wildcard: str | None = key
        while wildcard is not None:
            pool = self.match(wildcard)
            if pool is not None:
                return pool
            wildcard = route_key.next_wildcard(wildcard)
        return None


def _split(key: str) -> tuple[str, Sequence[str]]:
    """The host of a key, and the segments of its path."""
    host, slash, path = key.partition("/")
    return host, path.split("/") if slash else ()


def _cut(tree: _Node, path: Sequence[str]) -> None:
    """Take the route at the end of the path out, and every node that is of no use then."""
    trail = [tree]
    for segment in path:
        trail.append(trail[-1].children[segment])
    trail[-1].pool = None
    for parent, segment in zip(reversed(trail[:-1]), reversed(path), strict=True):
        child = parent.children[segment]
        if child.pool is not None or child.children:
            return
        del parent.children[segment]
