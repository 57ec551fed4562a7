"""Log lines of apps, read through the log cache's API."""

import base64
from collections.abc import Iterator
from datetime import datetime

import msgspec

from cfroute.cli.access.api import Api, Resource

SECOND = 1_000_000_000  # ns
MOST = 1000  # lines, as many as the log cache gives at once


class LogLine(msgspec.Struct, frozen=True):
    """One line; timestamp in nanoseconds, kind OUT or ERR."""

    timestamp: int
    source: str
    instance: str
    kind: str
    message: str

    @property
    def text(self) -> str:
        """As cf prints it: `   2026-01-31T12:00:00.00+0000 [APP/PROC/WEB/0] OUT text`."""
        seconds, rest = divmod(self.timestamp, SECOND)
        when = datetime.fromtimestamp(seconds).astimezone()
        stamp = f"{when:%Y-%m-%dT%H:%M:%S}.{rest // (SECOND // 100):02d}{when:%z}"
        return f"   {stamp} [{self.source}/{self.instance}] {self.kind} {self.message}"


def recent(api: Api, app: Resource, limit: int = MOST) -> list[LogLine]:
    """The newest lines, oldest first."""
    return _read(api, app, start_time=0, limit=limit, descending=True)[::-1]


class Tail:
    """Gives the lines of an app as they come.

    Writers of several processes append them slightly out of order, so each look goes back OVERLAP, and what was given
    before is left out.
    """

    OVERLAP = SECOND

    def __init__(self, api: Api, app: Resource, start: int) -> None:
        self._api = api
        self._app = app
        self._start = start
        self._given: set[LogLine] = set()

    def new(self) -> Iterator[LogLine]:
        """What came since the last call."""
        newest = max((line.timestamp for line in self._given), default=self._start + self.OVERLAP)
        since = max(self._start, newest - self.OVERLAP)
        self._given = {line for line in self._given if line.timestamp >= since}
        for line in _read(self._api, self._app, start_time=since, limit=MOST):
            if line not in self._given:
                self._given.add(line)
                yield line


def _read(api: Api, app: Resource, **query: object) -> list[LogLine]:
    answer = api.get(f"/api/v1/read/{app['guid']}", envelope_types="LOG", **query)
    return [_line(envelope) for envelope in answer["envelopes"]["batch"]]


def _line(envelope: Resource) -> LogLine:
    return LogLine(
        timestamp=int(envelope["timestamp"]),
        source=envelope["tags"].get("source_type", ""),
        instance=envelope["instance_id"],
        kind=envelope["log"].get("type", "OUT"),
        message=base64.b64decode(envelope["log"]["payload"]).decode(errors="replace").rstrip("\n"),
    )
