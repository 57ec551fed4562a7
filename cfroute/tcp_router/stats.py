"""What HAProxy says of its proxies, and the metrics that are made of it."""

import csv
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cfroute.dropsonde import ValueMetric

_METRIC: Final = "Metric"
_MS: Final = "ms"
_SHORTEST: Final = 62  # columns that are looked at

_COLUMNS: Final = {
    "queued": 2,
    "sessions": 4,
    "total": 7,
    "bytes_in": 8,
    "bytes_out": 9,
    "connection_errors": 13,
    "queue_ms": 58,
    "connect_ms": 59,
    "total_ms": 61,
}


class StatsError(Exception):
    """The statistics cannot be had."""


class ProxyStats(NamedTuple):
    """One line of them: of a frontend, of a server, or of all servers of a proxy, which comes last. Times are means."""

    proxy: str
    server: str = ""
    queued: int = 0
    sessions: int = 0
    total: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connection_errors: int = 0
    queue_ms: int = 0
    connect_ms: int = 0
    total_ms: int = 0


def parse(text: str) -> Iterator[ProxyStats]:
    """The answer to `show stat`, without its header. Lines that are cut off are left out."""
    for row in list(csv.reader(text.splitlines()))[1:]:
        if len(row) >= _SHORTEST:
            figures = {name: _number(row[column]) for name, column in _COLUMNS.items()}
            yield ProxyStats(row[0], row[1], **figures)


def _number(cell: str) -> int:
    return int(cell) if cell.isdecimal() else 0


def metrics(stats: Sequence[ProxyStats]) -> Iterator[ValueMetric]:
    """Totals and means over all lines, then what is sent of each proxy."""
    yield "TotalCurrentQueuedRequests", sum(line.queued for line in stats), _METRIC
    yield "TotalBackendConnectionErrors", sum(line.connection_errors for line in stats), _METRIC
    count = max(len(stats), 1)
    yield "AverageQueueTimeMs", sum(line.queue_ms for line in stats) // count, _MS
    yield "AverageConnectTimeMs", sum(line.connect_ms for line in stats) // count, _MS
    for proxy in {line.proxy: line for line in stats}.values():
        port = _port(proxy.proxy)
        if port:
            yield f"{port}.ConnectionTime", proxy.total_ms, _MS
            yield f"{port}.CurrentSessions", proxy.sessions, _METRIC
        yield f"{proxy.proxy}.ProxyConnectionErrors", proxy.connection_errors, _METRIC


def _port(proxy: str) -> str:
    """The last of three words, as upstream once called its proxies: `listen_cfg_5001`."""
    words = proxy.split("_")
    return words[2] if len(words) == 3 and words[2].isdecimal() else ""
