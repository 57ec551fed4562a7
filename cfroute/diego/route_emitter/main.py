"""`cfroute route-emitter -config FILE`: tells the Gorouters which instances answer for which routes."""

import argparse
import asyncio
import contextlib
import random
from collections.abc import Sequence

from cfroute import daemon, durations, health
from cfroute.clock import Clock, SystemClock
from cfroute.diego.client import BBSClient
from cfroute.diego.route_emitter.bus import Bus
from cfroute.diego.route_emitter.config import Config, load
from cfroute.diego.route_emitter.emitter import Emitter
from cfroute.diego.route_emitter.scheduler import Scheduler
from cfroute.diego.route_emitter.table import RoutingTable
from cfroute.diego.route_emitter.unregistrations import Unregistrations
from cfroute.diego.route_emitter.watcher import Watcher
from cfroute.errors import ConfigurationError
from cfroute.logs import DEBUG, ERROR, INFO, Logger

LEVELS = {"debug": DEBUG, "info": INFO, "error": ERROR, "fatal": ERROR}


def main(argv: Sequence[str]) -> int:
    """Run a route emitter until SIGTERM; 2 for an unusable configuration, as upstream."""
    parser = argparse.ArgumentParser(prog="cfroute route-emitter", description=__doc__)
    parser.add_argument("-config", "--config", required=True, metavar="FILE", help="JSON, with upstream's keys")
    try:
        config = load(parser.parse_args(argv).config)
    except ConfigurationError as error:
        Logger("route-emitter").error("failed-to-parse-config", error=error.message)
        return 2
    return daemon.run(lambda stop: serve(config, stop, SystemClock()))


async def serve(config: Config, stop: daemon.Stop, clock: Clock) -> int:
    """Work until asked to stop; the exit status."""
    rfc3339 = config.time_format in ("rfc3339", 1)
    log = Logger(config.locket_session_name, LEVELS[config.log_level], rfc3339=rfc3339, clock=clock)
    async with contextlib.AsyncExitStack() as stack:
        bbs = BBSClient(config.bbs_address, config.bbs_ca_cert_file, config.bbs_client_cert_file, config.bbs_client_key_file)
        stack.push_async_callback(bbs.aclose)
        bus = Bus(config, log)
        work = daemon.spawn(_work(config, bbs, bus, clock, log), name="route-emitter")
        asked = daemon.spawn(stop.wait(), name="stop")
        await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
        log.info("finished")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await bus.close()
    log.info("exited")
    return 0 if stop.asked else 1


async def _work(config: Config, bbs: BBSClient, bus: Bus, clock: Clock, log: Logger) -> None:
    """Everything; returns never."""
    await bus.connect()
    table = RoutingTable()
    emitter = Emitter(table, bus, Unregistrations(config.unregistration_send_count), log)
    watcher = Watcher(bbs, config.cell_id, table, emitter, clock, log)
    scheduler = Scheduler(bus, emitter.emit_all, config.jitter_factor, clock, random.Random(), log)  # noqa: S311
    bus.on_reconnect = scheduler.greet_again
    async with health.answering(*config.health_listener, b"ok"):
        log.info("started", cell_id=config.cell_id)
        await asyncio.gather(
            watcher.run(durations.parse(config.sync_interval)),
            scheduler.run(),
            emitter.repeat(durations.parse(config.unregistration_interval), clock),
        )
