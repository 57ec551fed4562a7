"""What the handlers of one Gorouter share."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from cfroute.clock import Clock
from cfroute.go.log import GoLog
from cfroute.gorouter.config import Config
from cfroute.gorouter.errors import ErrorWriter
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.route_services import RouteServices
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.logs import Logger

if TYPE_CHECKING:
    from cfroute.gorouter.workers.tally import Tally


class Health:
    """What `/health` and the health check by User-Agent say."""

    def __init__(self) -> None:
        self.healthy = False


@dataclass(frozen=True, slots=True)
class Context:
    """The router as its handlers see it. ip is the address that it announces itself with.

    reporter is None when nothing is counted, tally when this process is the only one that sends requests to backends.
    """

    config: Config
    ip: str
    registry: Registry
    route_services: RouteServices
    errors: ErrorWriter
    health: Health
    clock: Clock
    rng: Random
    log: Logger
    go_log: GoLog
    reporter: Reporter | None = None
    tally: "Tally | None" = None
