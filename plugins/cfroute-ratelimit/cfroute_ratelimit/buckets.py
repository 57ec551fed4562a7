"""Token buckets: how often each client may ask. What is decided here is told the time."""

from collections.abc import Callable
from dataclasses import dataclass

HIGHEST = 1000  # a second: tokens come at whole milliseconds
UNUSED = 30_000  # ms after which a bucket is forgotten
SWEEP = 500  # ms between two looks for those


@dataclass
class Bucket:
    """One client's tokens. `filled` is when the last one came, `used` when the client last asked, both in ms."""

    limit: int
    available: int
    filled: int
    used: int

    def refill(self, now: int) -> None:
        """One token every 1000/limit ms, in whole ms as the original counts; never more than `limit`."""
        every = 1000 // self.limit
        came = (now - self.filled) // every
        self.filled += came * every
        self.available = min(self.limit, self.available + came)


class Buckets:
    """All clients. A key is the path of the service with the client; forgotten is called with the client of a dropped one."""

    def __init__(self, forgotten: Callable[[str], None] = lambda client: None) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._forgotten = forgotten
        self._swept = 0

    def take(self, service: str, client: str, limit: int, now: int) -> bool:
        """Whether the client may ask once more; `limit` requests a second, and as many at once."""
        self._sweep(now)
        bucket = self._buckets.setdefault((service, client), Bucket(limit, limit, now, now))
        bucket.refill(now)
        bucket.used = now
        if not bucket.available:
            return False
        bucket.available -= 1
        return True

    def stats(self, now: int) -> list[dict[str, str | int]]:
        """What every client has left."""
        self._sweep(now)
        for bucket in self._buckets.values():
            bucket.refill(now)
        return [{"ip": client, "available": bucket.available} for (_, client), bucket in self._buckets.items()]

    def _sweep(self, now: int) -> None:
        if now < self._swept + SWEEP:
            return
        self._swept = now
        for key in [key for key, bucket in self._buckets.items() if now - bucket.used >= UNUSED]:
            del self._buckets[key]
            self._forgotten(key[1])
