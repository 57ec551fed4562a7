"""A worker: serves clients from its copy of the router's table, and does what the parent says."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import Stop, spawn
from cfroute.gorouter import start_checks
from cfroute.gorouter.basis import Basis
from cfroute.gorouter.housekeeping import spare_the_collector, sweep_forever
from cfroute.gorouter.metrics import process
from cfroute.gorouter.metrics.service import Metrics
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.start_checks import StartFailure
from cfroute.gorouter.traffic import LocalTraffic, open_emitter
from cfroute.gorouter.workers import memory
from cfroute.gorouter.workers.activity import Watch
from cfroute.gorouter.workers.channel import Channel
from cfroute.gorouter.workers.messages import (
    Active,
    Ask,
    Drain,
    Drained,
    Failed,
    Feel,
    Hello,
    Level,
    Ready,
    Report,
    Serve,
    Serving,
    StopListening,
    Stopped,
    ToWorker,
    for_worker,
)
from cfroute.gorouter.workers.replica import Replica

_LOOK_EVERY: Final = 1.0  # seconds between two looks for busy routes


class Worker:
    """One worker, from the parent's first message until the parent is gone."""

    def __init__(self, end: socket.socket, clock: Clock, rng: Random, random_bytes: Callable[[int], bytes]) -> None:
        """`end` is this end of the socket to the parent."""
        self._end = end
        self._clock = clock
        self._rng = rng
        self._random_bytes = random_bytes
        self._over = asyncio.Event()
        self._status = 0
        self._channel: Channel[ToWorker] = Channel(for_worker, self._heard, self._over.set)
        self._stack = AsyncExitStack()
        self._duties: Duties | None = None

    async def run(self, _: Stop) -> int:
        """Do what is to be done; returns the exit status."""
        async with self._stack:
            await self._channel.open(self._end)
            self._stack.callback(self._channel.close)
            await self._over.wait()
        return self._status

    def _heard(self, message: ToWorker) -> None:
        if isinstance(message, Hello):
            self._begin(message)
        elif self._duties is not None:
            self._duties.heard(message)

    def _begin(self, hello: Hello) -> None:
        try:
            log = start_checks.logger(hello.config, hello.level)
            basis = Basis(hello.config, log, self._clock, self._rng, self._random_bytes)
            self._duties = Duties(hello, basis, self._channel, self._stack)
        except StartFailure as failure:
            self._status = failure.status
            self._over.set()


class Duties:
    """What a worker does once it knows who it is. `stack` ends its parts."""

    def __init__(self, hello: Hello, basis: Basis, channel: Channel[ToWorker], stack: AsyncExitStack) -> None:
        """Raises StartFailure, after logging why."""
        config, log, clock, rng, _ = basis
        self._channel = channel
        self._clock = clock
        self._log = log
        self._registry = Registry(config, log.session("registry"), clock, rng)
        self._registry.on_failure = self._tell_failure
        self._replica = Replica(self._registry)
        self._tally = memory.tally(hello.memory, hello.workers, hello.number)
        emitter = open_emitter(config, clock, log)
        stack.callback(emitter.close)
        self._metrics = Metrics(config, clock, rng, log)
        self._metrics.count_requests(stack, emitter)
        self._traffic = LocalTraffic(
            basis,
            stack,
            registry=self._registry,
            emitter=emitter,
            reporter=self._metrics.reporter,
            tally=self._tally,
        )
        self._traffic.reach_ourselves(hello.identity)
        spare_the_collector()
        works = [self._tell_activity_forever(), sweep_forever(self._registry, self._traffic.expire, clock)]
        for work in works:
            stack.callback(spawn(work, name="housekeeping").cancel)
        channel.send(Ready())

    # What the parent says

    def heard(self, message: ToWorker) -> None:
        """Do it. Changes of the table are done when this returns, so that they stay in order."""
        if isinstance(message, Serve):
            spawn(self._serve(message), name="serve")
        elif isinstance(message, Feel):
            self._traffic.feel(healthy=message.healthy)
        elif isinstance(message, Level):
            self._log.set_level(message.level)
        elif isinstance(message, Ask):
            self._report()
        elif isinstance(message, StopListening):
            spawn(self._stop_listening(), name="stop listening")
        elif isinstance(message, Drain):
            spawn(self._drain(message.seconds), name="drain")
        elif not isinstance(message, Hello):
            self._replica.apply(message, self._clock.monotonic())

    async def _serve(self, told: Serve) -> None:
        self._traffic.feel(healthy=told.healthy)
        for door, descriptor in told.doors:
            await self._traffic.serve(door, socket.socket(fileno=descriptor))
        self._channel.send(Serving())

    def _report(self) -> None:
        self._channel.send(Report(self._metrics.snapshot(), process.most_memory(), self._metrics.varz_counts()))

    async def _stop_listening(self) -> None:
        self._channel.send(Stopped(*await self._traffic.stop_listening()))

    async def _drain(self, seconds: float) -> None:
        self._channel.send(Drained(await self._traffic.drain(seconds)))

    # What the parent is told

    def _tell_failure(self, pool: Pool, endpoint: Endpoint, discarded: bool) -> None:
        self._channel.send(Failed(pool.uri, endpoint.address, endpoint.backend.slot, discarded))

    async def _tell_activity_forever(self) -> None:
        watch = Watch(self._tally.own)
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            for found in watch.look(list(self._registry)):
                if found:
                    self._channel.send(Active(found))
                await self._clock.sleep(0)
