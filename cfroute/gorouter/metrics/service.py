"""The metrics of one router as a running thing: what counts, and whoever is told of it."""

import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.go.log import GoLog
from cfroute.gorouter.config import Config
from cfroute.gorouter.metrics import process
from cfroute.gorouter.metrics.envelopes import Envelopes, Metron
from cfroute.gorouter.metrics.listener import MetricsListener, MetricsListenerError
from cfroute.gorouter.metrics.monitors import Messages, Monitors
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.metrics.sampling import TICK
from cfroute.gorouter.metrics.snapshot import Snapshot
from cfroute.gorouter.metrics.varz import Varz
from cfroute.gorouter.metrics.varz_counts import VarzCounts
from cfroute.gorouter.metrics.varz_page import VarzPage
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.logs import Logger

if TYPE_CHECKING:
    from cfroute.gorouter.workers.crew import Crew


class Metrics:
    """Starts what the configuration asks for. `reporter` is None when nothing does; then nothing is counted.

    Where others serve the clients (`crew`), what they count is shown with what is counted here.
    """

    def __init__(self, config: Config, clock: Clock, rng: Random, log: Logger, crew: "Crew | None" = None) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._log = log
        self._crew = crew
        deprecated = config.status.enable_deprecated_varz_healthz_endpoints
        self._varz = Varz(rng, clock.monotonic) if deprecated else None
        self._shown = config.prometheus.enabled or deprecated
        wanted = self._shown or config.enable_envelope_v1_metrics
        self.reporter = Reporter(config, clock.monotonic, varz=self._varz) if wanted else None

    async def serve(self, parts: AsyncExitStack) -> None:
        """Open the listener for Prometheus, if there is to be one; stderr is told. Raises MetricsListenerError."""
        if self.reporter is None or not self._config.prometheus.enabled:
            return
        listener = MetricsListener(self._config.prometheus, self._config.local_host, self._everything, self._clock)
        parts.push_async_callback(listener.close)
        go_log = GoLog(self._clock, sys.stderr.write)
        try:
            go_log.line(f"Metrics endpoint is listening on {await listener.start()}")
        except MetricsListenerError as error:
            go_log.line(str(error))
            raise

    def varz_page(self, parts: AsyncExitStack, registry: Registry) -> Callable[[], bytes] | None:
        """What makes the page `/varz`; None unless the configuration asks for it."""
        if self._varz is None:
            return None
        page = VarzPage(self._config, registry, self._all_varz_counts, self._usage, self._clock, self._rng)
        parts.callback(page.close)
        page.start()
        parts.callback(spawn(self._tick_forever(self._varz), name="rates").cancel)
        return page.page

    def watch(self, parts: AsyncExitStack, messages: Messages, metron: Metron) -> None:
        """Begin to look at things from time to time, and to tell metron."""
        if self.reporter is None:
            return
        monitors = Monitors(self.reporter, messages, self._descriptors, self._clock, self._log)
        parts.callback(monitors.close)
        monitors.start()
        if self._config.enable_envelope_v1_metrics:
            self._tell_metron(parts, self.reporter, metron)
            self._clock.call_later(self._config.route_latency_metric_muzzle_duration, self._unmuzzle)

    def count_requests(self, parts: AsyncExitStack, metron: Metron) -> None:
        """Begin to count for another process, which asks for the counts. Metron is told from here, request by request."""
        if self.reporter is not None and self._config.enable_envelope_v1_metrics:
            self._tell_metron(parts, self.reporter, metron)
        if self._varz is not None:
            parts.callback(spawn(self._tick_forever(self._varz), name="rates").cancel)

    def _tell_metron(self, parts: AsyncExitStack, reporter: Reporter, metron: Metron) -> None:
        envelopes = Envelopes(reporter, metron, self._clock, also_needed=self._shown)
        parts.callback(envelopes.close)
        envelopes.start()

    def _unmuzzle(self) -> None:
        """What was registered just after the start says nothing of how long registrations take."""
        if self.reporter is not None:
            self.reporter.tells_registration_latency = True

    async def _tick_forever(self, varz: Varz) -> None:
        while True:
            await self._clock.sleep(TICK)
            varz.tick()

    # What there is to show

    def snapshot(self) -> Snapshot:
        """The counts of this process, and its figures."""
        snapshot = self.reporter.snapshot() if self.reporter is not None else Snapshot()
        snapshot.process = process.figures()
        return snapshot

    async def _everything(self) -> Snapshot:
        """The counts of the router."""
        return self.snapshot() if self._crew is None else await self._crew.snapshot(self.snapshot())

    def varz_counts(self) -> VarzCounts | None:
        """What the deprecated page tells of the requests that this process serves; None where there is no such page."""
        return self._varz.counts() if self._varz is not None else None

    def _all_varz_counts(self) -> VarzCounts:
        assert self._varz is not None, "only the page asks"
        own = self._varz.counts()
        return own if self._crew is None else self._crew.totals.varz(own)

    def _descriptors(self) -> int:
        return process.descriptors() + (self._crew.totals.descriptors if self._crew is not None else 0)

    def _usage(self) -> tuple[float, int]:
        """CPU time so far in seconds, and the most memory in KiB."""
        cpu, memory = process.cpu_seconds(), process.most_memory()
        if self._crew is not None:
            return cpu + self._crew.totals.cpu_seconds, memory + self._crew.totals.memory
        return cpu, memory
