"""The deprecated page `/varz`: what is told of requests, with what every component of its time told of itself."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.gorouter.config import Config
from cfroute.gorouter.metrics.varz_counts import VarzCounts
from cfroute.gorouter.routing_table.registry import Registry

_LOOK_EVERY: Final = 1.0  # seconds between two looks at the CPU time

_encode = msgspec.json.Encoder(order="deterministic").encode


class VarzPage:
    """Makes the page, which is also what the router announces itself with over NATS."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        counts: Callable[[], VarzCounts],
        usage: Callable[[], tuple[float, int]],
        clock: Clock,
        rng: Random,
    ) -> None:
        """`usage` tells the CPU time so far in seconds, and the most memory in KiB."""
        status = config.status
        self._registry = registry
        self._counts = counts
        self._usage = usage
        self._clock = clock
        self._started = clock.monotonic()
        self._cpu = 0.0
        self._task: asyncio.Task[None] | None = None
        self._fixed = {
            "type": "Router",
            "index": config.index,
            "host": f"{status.host}:{status.port}",
            "credentials": [status.user, status.password],
            "uuid": f"{config.index}-{UUID(int=rng.getrandbits(128), version=4)}",
            "start": datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%S +0000"),
            "num_cores": os.cpu_count() or 1,
            "log_counts": {},
        }

    def start(self) -> None:
        """Begin to look at how busy the router is."""
        self._task = spawn(self._look_for_ever(), name="varz")

    def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _look_for_ever(self) -> None:
        last, _ = self._usage()
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            now, _ = self._usage()
            self._cpu, last = (now - last) / _LOOK_EVERY, now

    def page(self) -> bytes:
        """The page as Go writes it: members sorted, numbers without fraction as integers."""
        now = self._clock.monotonic()
        addresses = {endpoint.address for pool in self._registry for endpoint in pool.endpoints}
        members: dict[str, Any] = {
            **self._fixed,
            **self._counts().shown(),
            "cpu": self._cpu,
            "mem": self._usage()[1],
            "uptime": _uptime(int(now - self._started)),
            "urls": len(self._registry),
            "droplets": len(addresses),
            "ms_since_last_registry_update": int((now - self._registry.last_update) * 1000),
        }
        return _encode(_go_numbers(members))


def _go_numbers(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _go_numbers(member) for name, member in value.items()}
    return [_go_numbers(element) for element in value] if isinstance(value, list) else value


def _uptime(seconds: int) -> str:
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    return f"{days}d:{hours}h:{minutes}m:{seconds}s"
