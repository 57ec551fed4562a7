"""The metrics of one router as a running thing: what counts, and whoever is told of it."""

import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

from cfroute.clock import Clock
from cfroute.gorouter.config import Config
from cfroute.gorouter.go_log import GoLog
from cfroute.gorouter.metrics.envelopes import Envelopes, Metron
from cfroute.gorouter.metrics.listener import MetricsListener, MetricsListenerError
from cfroute.gorouter.metrics.monitors import Messages, Monitors
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.metrics.varz import Varz
from cfroute.gorouter.metrics.varz_page import VarzPage
from cfroute.gorouter.registry import Registry
from cfroute.logs import Logger


class Metrics:
    """Starts what the configuration asks for. `reporter` is None when nothing does; then nothing is counted."""

    def __init__(self, config: Config, clock: Clock, rng: Random, log: Logger) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._log = log
        deprecated = config.status.enable_deprecated_varz_healthz_endpoints
        self._varz = Varz(rng, clock.monotonic) if deprecated else None
        self._shown = config.prometheus.enabled or deprecated
        wanted = self._shown or config.enable_envelope_v1_metrics
        self.reporter = Reporter(config, clock.monotonic, varz=self._varz) if wanted else None

    async def serve(self, parts: AsyncExitStack) -> None:
        """Open the listener for Prometheus, if there is to be one; stderr is told. Raises MetricsListenerError."""
        if self.reporter is None or not self._config.prometheus.enabled:
            return
        listener = MetricsListener(self._config.prometheus, self._config.local_host, self.reporter.snapshot, self._clock)
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
        page = VarzPage(self._config, registry, self._varz, self._clock, self._rng)
        parts.callback(page.close)
        page.start()
        return page.page

    def watch(self, parts: AsyncExitStack, messages: Messages, metron: Metron) -> None:
        """Begin to look at things from time to time, and to tell metron."""
        if self.reporter is None:
            return
        monitors = Monitors(self.reporter, messages, self._clock, self._log)
        parts.callback(monitors.close)
        monitors.start()
        if self._config.enable_envelope_v1_metrics:
            envelopes = Envelopes(self.reporter, metron, self._clock, also_needed=self._shown)
            parts.callback(envelopes.close)
            envelopes.start()
            self._clock.call_later(self._config.route_latency_metric_muzzle_duration, self._unmuzzle)

    def _unmuzzle(self) -> None:
        """What was registered just after the start says nothing of how long registrations take."""
        if self.reporter is not None:
            self.reporter.tells_registration_latency = True
