"""The table as it is shown: routes, their backends, and what goes through them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from cfroute.tcp_router.engines import BackendKey, Counters
from cfroute.tcp_router.table import Backend, Backends, Details, RoutingTable

_NOTHING: Final = Counters()


class TableView:
    """The table at one time; times are monotonic seconds."""

    def __init__(self, table: RoutingTable, counters: Mapping[BackendKey, Counters], now: float, usual_ttl: float) -> None:
        self._table = table
        self._counters = counters
        self._now = now
        self._usual_ttl = usual_ttl

    def encoded(self, about: Mapping[str, Any]) -> bytes:
        """As JSON, behind what there is to say about the router."""
        return msgspec.json.encode({**about, "routes": list(self._routes())}) + b"\n"

    def _routes(self) -> Iterator[dict[str, Any]]:
        for port in sorted(self._table):
            for name, backends in sorted(self._table.at(port).items()):
                yield self._route(port, name, backends)

    def _route(self, port: int, name: str, backends: Backends) -> dict[str, Any]:
        shown = [self._backend(port, name, backend, details) for backend, details in sorted(backends.items())]
        totals = {figure: sum(each[figure] for each in shown) for figure in Counters._fields}
        return {"port": port, "sni": name, **totals, "backends": shown}

    def _backend(self, port: int, name: str, backend: Backend, details: Details) -> dict[str, Any]:
        ttl = details.ttl or self._usual_ttl
        age = self._now - details.updated
        used = max(backend.tls_port, 0) or backend.port
        counted = self._counters.get(BackendKey(port, name, backend.host, used), _NOTHING)
        return {
            "host": backend.host,
            "port": backend.port,
            "tls_port": backend.tls_port,
            "instance_id": backend.instance_id,
            "age": round(age, 3),
            "ttl": ttl,
            "expires_in": round(ttl - age, 3),
            **counted._asdict(),
        }
