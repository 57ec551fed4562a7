"""What the deprecated page `/varz` tells of requests, for all of them and for each `component` tag."""

from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final

from cfroute.gorouter.metrics.sampling import Rate, Reservoir
from cfroute.gorouter.metrics.varz_counts import WINDOW, RequestCounts, VarzCounts

if TYPE_CHECKING:
    from cfroute.gorouter.routing_table.endpoint import Endpoint

_GROUPS: Final = ("xxx", "xxx", "2xx", "3xx", "4xx", "5xx", "xxx", "xxx", "xxx", "xxx")


class Requests:
    """Requests and their responses."""

    __slots__ = ("count", "latency", "rate", "responses")

    def __init__(self, rng: Random, now: float) -> None:
        self.count = 0
        self.rate = Rate()
        self.responses = dict.fromkeys(("2xx", "3xx", "4xx", "5xx", "xxx"), 0)
        self.latency = Reservoir(rng, now)

    def sent(self) -> None:
        self.count += 1
        self.rate.mark()

    def responded(self, status: int, seconds: float, now: float) -> None:
        self.responses[_GROUPS[status // 100]] += 1
        self.latency.add(seconds, now)

    def counts(self) -> RequestCounts:
        """As they are now, in copy."""
        return RequestCounts(self.count, list(self.rate.averages), dict(self.responses), self.latency.values())


class TopApps:
    """Requests by app within the last minute."""

    def __init__(self) -> None:
        self._slots: deque[tuple[int, Counter[str]]] = deque()

    def mark(self, app: str, now: float) -> None:
        """One more request of that app."""
        second = int(now)
        if not self._slots or self._slots[-1][0] != second:
            self._forget(second)
            self._slots.append((second, Counter()))
        self._slots[-1][1][app] += 1

    def counts(self, now: float) -> dict[str, int]:
        """Requests by app."""
        self._forget(int(now))
        total: Counter[str] = Counter()
        for _, counts in self._slots:
            total.update(counts)
        return dict(total)

    def _forget(self, second: int) -> None:
        while self._slots and self._slots[0][0] < second - WINDOW:
            self._slots.popleft()


class Varz:
    """The counts behind the page."""

    def __init__(self, rng: Random, monotonic: Callable[[], float]) -> None:
        self._rng = rng
        self._monotonic = monotonic
        self._all = Requests(rng, monotonic())
        self._components: dict[str, Requests] = {}
        self._apps = TopApps()
        self._bad = {"rejected_requests": 0, "bad_gateways": 0}

    def count(self, name: str) -> None:
        """One more of a counter; only two of them are on the page."""
        if name in self._bad:
            self._bad[name] += 1

    def sent(self, endpoint: "Endpoint") -> None:
        """A request is sent to that endpoint."""
        self._all.sent()
        component = self._component(endpoint)
        if component is not None:
            component.sent()

    def responded(self, endpoint: "Endpoint | None", status: int, seconds: float) -> None:
        """The response to a request is over; it took so many seconds."""
        now = self._monotonic()
        self._all.responded(status, seconds, now)
        if endpoint is None:
            return
        component = self._component(endpoint)
        if component is not None:
            component.responded(status, seconds, now)
        if endpoint.app:
            self._apps.mark(endpoint.app, now)

    def _component(self, endpoint: "Endpoint") -> Requests | None:
        name = (endpoint.tags or {}).get("component")
        if name is None:
            return None
        requests = self._components.get(name)
        if requests is None:
            requests = self._components[name] = Requests(self._rng, self._monotonic())
        return requests

    def tick(self) -> None:
        """Five seconds have passed."""
        self._all.rate.tick()
        for component in self._components.values():
            component.rate.tick()

    def counts(self) -> VarzCounts:
        """As they are now, in copy."""
        components = {name: requests.counts() for name, requests in self._components.items()}
        apps = self._apps.counts(self._monotonic())
        return VarzCounts(self._all.counts(), components, apps, self._bad["rejected_requests"], self._bad["bad_gateways"])
