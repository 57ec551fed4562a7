"""The routing table: registers, looks up and prunes.

It decides and logs; who feeds it (NATS) and when it is pruned is told from outside. Times are the clock's monotonic
seconds.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from cfroute.clock import Clock
from cfroute.gorouter.config import Config
from cfroute.gorouter.routing_table import route_key
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import ADDED, ALGORITHMS, REFRESHED, UNMODIFIED, UPDATED, Pool
from cfroute.gorouter.routing_table.route_options import NO_OPTIONS, RouteOptions
from cfroute.gorouter.routing_table.routes import Routes
from cfroute.logs import DEBUG, INFO, Logger

if TYPE_CHECKING:
    from cfroute.gorouter.metrics.reporter import Reporter
    from cfroute.gorouter.workers.journal import Journal

_ACTIONS = {REFRESHED: UPDATED}  # metrics do not tell the two apart: newer routers do, but dashboards are older
_SLICE = 0.002  # seconds of pruning between two turns of the event loop
_AT_ONCE = 32  # routes that are pruned between two looks at the clock


class Registry:
    """All routes of one router.

    Where its table is not the only one of the router, `journal` hears what changes in it, and `on_failure` which endpoints were
    taken out (True) or are avoided because they failed.
    """

    def __init__(self, config: Config, logger: Logger, clock: Clock, rng: Random) -> None:
        self._logger = logger
        self._clock = clock
        self._rng = rng
        self._load_balancing = config.balancing_algorithm
        self._mode = config.routing_table_sharding_mode
        self._segments = frozenset(config.isolation_segments)
        self._suspends = config.suspend_pruning_if_nats_unavailable
        self._interval = config.prune_stale_droplets_interval
        keeps_empty = config.empty_pool_response_code_503 and config.empty_pool_timeout > 0
        self._keep_empty = config.empty_pool_timeout if keeps_empty else 0.0
        self._was_suspended = False
        self._routes = Routes()
        self.lookup = self._routes.lookup
        self.source_is_up: Callable[[], bool] = lambda: True
        self.reporter: Reporter | None = None
        self.journal: Journal | None = None
        self.on_failure: Callable[[Pool, Endpoint, bool], object] | None = None
        self.last_update = clock.monotonic()
        self.pruned = 0

    def __len__(self) -> int:
        """The number of routes."""
        return len(self._routes)

    def __iter__(self) -> Iterator[Pool]:
        """All pools, in no particular order. Do not register while iterating."""
        return iter(self._routes)

    def find(self, uri: str) -> Pool | None:
        """The pool of exactly this route, empty or not."""
        return self._routes.get(route_key.key(uri))

    def at(self, key: str) -> Pool | None:
        """The pool under exactly this key, empty or not."""
        return self._routes.get(key)

    def accepts(self, isolation_segment: str) -> bool:
        """Whether this router takes routes of that isolation segment ("" is the shared one)."""
        if self._mode == "all":
            return True
        if not isolation_segment:
            return self._mode == "shared-and-segments"
        return isolation_segment in self._segments

    def register(self, uri: str, endpoint: Endpoint) -> None:
        """Add the endpoint to the route, or refresh it there."""
        if self._mode != "all" and not self.accepts(endpoint.isolation_segment):
            return
        key = route_key.key(uri)
        now = self._clock.monotonic()
        pool = self._routes.get(key)
        if pool is None:
            pool = self._create(key, uri, now)
        journal = self.journal
        before = journal.look(pool) if journal is not None else None
        result = pool.put(endpoint, now)
        if endpoint.options is not NO_OPTIONS and result is not UNMODIFIED:
            self._balance(pool, endpoint.options)
        if journal is not None:
            journal.compare(pool, before)
        self.last_update = now
        if self.reporter is not None:
            self.reporter.registered(endpoint, _ACTIONS.get(result, result), self._clock.now_ns())
        if self._logger.level <= (INFO if result is ADDED else DEBUG):
            log = self._logger.info if result is ADDED else self._logger.debug
            message = "endpoint-not-registered" if result is UNMODIFIED else "endpoint-registered"
            log(message, **_log_data(uri, endpoint))

    def _create(self, key: str, uri: str, now: float) -> Pool:
        host, context_path = route_key.split_host(uri)
        pool = self.create(key, host, context_path, now)
        self._logger.info("route-registered", uri=key)
        self._logger.debug("uri-added", uri=key)
        return pool

    def create(self, key: str, host: str, context_path: str, now: float) -> Pool:
        """A new route without endpoints, kept under that key."""
        pool = Pool(
            key,
            key if host == key else host,
            context_path,
            load_balancing=self._load_balancing,
            start=self._rng.getrandbits(8),
            now=now,
        )
        self._routes.add(pool)
        return pool

    def _balance(self, pool: Pool, options: RouteOptions) -> None:
        algorithm, before = options.loadbalancing, pool.load_balancing
        if algorithm in ALGORITHMS:
            pool.balance(options)
            if algorithm != before:
                self._logger.debug(
                    "setting-pool-load-balancing-algorithm-to-that-of-an-endpoint",
                    endpointLBAlgorithm=algorithm,
                    poolLBAlgorithm=algorithm,
                )
        elif algorithm:
            self._logger.error(
                "invalid-endpoint-load-balancing-algorithm-provided-keeping-pool-lb-algo",
                endpointLBAlgorithm=algorithm,
                poolLBAlgorithm=before,
            )

    def unregister(self, uri: str, endpoint: Endpoint) -> None:
        """Take the endpoint out of the route; only the addresses are compared."""
        if not self.accepts(endpoint.isolation_segment):
            return
        if self.reporter is not None:
            self.reporter.unregistered(endpoint)
        key = route_key.key(uri)
        pool = self._routes.get(key)
        if pool is None:
            return
        now = self._clock.monotonic()
        journal = self.journal
        before = journal.look(pool) if journal is not None else None
        removed = pool.remove(endpoint, now)
        if journal is not None:
            journal.compare(pool, before)
        message = "endpoint-unregistered" if removed else "endpoint-not-unregistered"
        self._logger.info(message, **_log_data(key, endpoint))
        if self._is_over(pool, now):
            self.forget(pool)
            self._logger.info("route-unregistered", uri=key)

    def _is_over(self, pool: Pool, now: float) -> bool:
        """Whether an empty pool has been kept for long enough."""
        return not pool.endpoints and (not self._keep_empty or now - pool.updated > self._keep_empty)

    def forget(self, pool: Pool) -> None:
        """Take the route out."""
        self._routes.remove(pool)
        if self.journal is not None:
            self.journal.forgot(pool)

    # Failures

    def discard(self, pool: Pool, endpoint: Endpoint) -> bool:
        """Take out an endpoint that failed for good (upstream does this to TLS endpoints only); whether it was there."""
        known = pool.find(endpoint.address)
        if known is None:
            return False
        journal = self.journal
        before = journal.look(pool) if journal is not None else None
        pool.discard(known, self._clock.monotonic())
        if journal is not None:
            journal.compare(pool, before)
        self._note_failure(pool, known, True)
        return True

    def mark_failed(self, pool: Pool, endpoint: Endpoint) -> bool:
        """Have round robin avoid the endpoint for the cool-down; whether it is still in the pool."""
        marked = pool.mark_failed(endpoint, self._clock.monotonic())
        if marked:
            self._note_failure(pool, endpoint, False)
        return marked

    def _note_failure(self, pool: Pool, endpoint: Endpoint, discarded: bool) -> None:
        """A pool that was made for one request keeps its failures to itself."""
        if self.on_failure is not None and self._routes.get(pool.uri) is pool:
            self.on_failure(pool, endpoint, discarded)

    # Instances

    def lookup_instance(self, pool: Pool, app: str, index: str) -> Pool | None:
        """A pool for one request with only the endpoint of that app instance, or None."""
        found = tuple(e for e in pool.endpoints if e.app == app and e.instance_index == index)
        return pool.only(found[:1]) if found else None

    def lookup_process_instance(self, pool: Pool, process_id: str, index: str | None = None) -> Pool | None:
        """The same for a process: one instance of it, or all."""
        found = tuple(e for e in pool.endpoints if e.process_id == process_id)
        if index is not None:
            found = tuple(e for e in found if e.instance_index == index)[:1]
        return pool.only(found, self._rng.getrandbits(8)) if found else None

    # Pruning

    def prune(self, now: float) -> Iterator[None]:
        """One pruning cycle. Pauses after each slice of time, so that a large table does not hold up the event loop."""
        if self._suspends and not self.source_is_up():
            self._was_suspended = True
            self._logger.info("prune-suspended")
            return
        if self._was_suspended:
            self._was_suspended = False
            self._logger.debug("prune-unsuspended-refresh-routes-start")
            yield from self._in_slices(lambda pool: pool.freshen(now))
            self._logger.debug("prune-unsuspended-refresh-routes-complete")
        yield from self._in_slices(lambda pool: self._prune_pool(pool, now))

    def _in_slices(self, work: Callable[[Pool], object]) -> Iterator[None]:
        """Do the work on each pool that is there now."""
        pools = list(self._routes)
        enough = self._clock.monotonic() + _SLICE
        while pools:
            for pool in pools[-_AT_ONCE:]:
                work(pool)
            # What was pruned ends here and now, and not all of it at the end of the cycle.
            del pools[-_AT_ONCE:]
            if self._clock.monotonic() >= enough:
                yield
                enough = self._clock.monotonic() + _SLICE

    def _prune_pool(self, pool: Pool, now: float) -> None:
        journal = self.journal
        before = journal.look(pool) if journal is not None else None
        stale = pool.prune(now)
        if journal is not None:
            journal.compare(pool, before)
        if not pool.endpoints and self._is_over(pool, now) and self._routes.get(pool.uri) is pool:
            self.forget(pool)
        if stale:
            self.pruned += len(stale)
            self._logger.info(
                "pruned-route",
                uri=pool.uri,
                endpoints=[endpoint.address for endpoint in stale],
                isolation_segment=stale[0].isolation_segment or "-",
            )

    async def prune_forever(self) -> None:
        """Prune at the configured interval (0 or less: never)."""
        while self._interval > 0:
            await self._clock.sleep(self._interval)
            self._logger.debug("start-pruning-routes")
            pruned_before = self.pruned
            for _ in self.prune(self._clock.monotonic()):
                await self._clock.sleep(0)
            self._logger.debug("finished-pruning-routes")
            if self.reporter is not None:
                age = self._clock.monotonic() - self.last_update
                self.reporter.pruned(self.pruned - pruned_before, len(self), int(age * 1000))


def _log_data(uri: str, endpoint: Endpoint) -> dict[str, Any]:
    tag = endpoint.modification_tag
    return {
        "uri": uri,
        "route_service_url": endpoint.route_service_url,
        "backend": endpoint.address,
        "application_id": endpoint.app,
        "instance_id": endpoint.instance_id,
        "server_cert_domain_san": endpoint.san,
        "protocol": endpoint.protocol,
        "modification_tag": {"guid": tag.guid, "index": tag.index},
        "isolation_segment": endpoint.isolation_segment or "-",
        "isTLS": endpoint.tls,
    }
