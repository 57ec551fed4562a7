"""What the data plane reports of single connections, as log lines."""

import sys
import traceback
from datetime import datetime

from cfroute.clock import Clock
from cfroute.gorouter.exchange import RouterExchange
from cfroute.logs import Logger
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.server import Observer


class Events(Observer):
    """Logs the responses that ended before their time, and defects of the router itself."""

    def __init__(self, log: Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    def cut_short(self, exchange: Exchange, reason: str) -> None:
        assert isinstance(exchange, RouterExchange)
        message = "backend-request-timeout" if reason == "context deadline exceeded" else "response-cut-short"
        self._log.error(message, error=reason, **{"vcap-request-id": exchange.request_id.decode()})

    def handshake_failed(self, peer: str, reason: str) -> None:
        now = datetime.fromtimestamp(self._clock.now()).strftime("%Y/%m/%d %H:%M:%S")  # noqa: DTZ006  (Go's log package: local time)
        sys.stderr.write(f"{now} http: TLS handshake error from {peer}: {reason}\n")

    def panicked(self, exchange: Exchange, defect: Exception) -> None:
        story = "".join(traceback.format_exception(defect))
        host = exchange.request.host.decode("latin-1")
        self._log.error("panic-check", host=host, error=f"{type(defect).__name__}: {defect}", stacktrace=story)
