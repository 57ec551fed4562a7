"""The pause between subscribing and listening, in which the emitters fill the table."""

from cfroute.clock import Clock
from cfroute.daemon import Stop, spawn
from cfroute.gorouter.config import Config
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.logs import Logger


async def warm_up(config: Config, registry: Registry, clock: Clock, log: Logger, stop: Stop) -> None:
    """Wait for so long as the configuration says, or until the router is asked to stop."""
    delay = config.start_delay
    log.debug("Sleeping before returning success on /health endpoint to preload routing table", sleep_time_seconds=delay)
    waiting = [clock.sleep(delay)] if delay > 0 else []
    if config.cfroute.start_when_quiet_for is not None:
        waiting.append(_quiet(config, registry, clock, config.cfroute.start_when_quiet_for))
    for wait in waiting:
        pause = spawn(wait, name="warm up")
        await stop.wait_or(pause)
        pause.cancel()


async def _quiet(config: Config, registry: Registry, clock: Clock, seconds: float) -> None:
    """Return once no registration has come for so long, at the latest after the time that upstream always takes."""
    latest = clock.monotonic() + config.start_response_delay_interval
    seen = -1.0
    while seen != registry.last_update and clock.monotonic() < latest:
        seen = registry.last_update
        await clock.sleep(seconds)
