"""What a router is made of."""

from typing import NamedTuple

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.routing_api.client import RoutingApi
from cfroute.tcp_router.applier import Applier
from cfroute.tcp_router.config import Config
from cfroute.tcp_router.engines import Engine
from cfroute.tcp_router.flags import Flags
from cfroute.tcp_router.table import RoutingTable
from cfroute.tcp_router.updates import Updater
from cfroute.tcp_router.watcher import Watcher
from cfroute.uaa.client import Tokens


class Parts(NamedTuple):
    """The parts of one router, which know no more of each other than they need."""

    config: Config
    flags: Flags
    table: RoutingTable
    engine: Engine
    updater: Updater
    applier: Applier
    watcher: Watcher
    log: Lager
    clock: Clock


def assemble(config: Config, flags: Flags, engine: Engine, api: RoutingApi, tokens: Tokens, log: Lager, clock: Clock) -> Parts:
    """Put a router together."""
    table = RoutingTable()
    updater = Updater(table, log, exact_sync=config.cfroute.exact_sync)
    applier = Applier(table, engine, log, tls=config.backend_tls.enabled)
    watcher = Watcher(api, tokens, updater, applier, float(flags.subscription_retry_interval), log, clock)
    return Parts(config, flags, table, engine, updater, applier, watcher, log, clock)
