"""What the data plane reports of single connections, as log lines."""

import traceback

from cfroute.go.log import GoLog
from cfroute.gorouter.exchange import Panic, RouterExchange
from cfroute.gorouter.logs.attempt_log import AttemptLog
from cfroute.logs import Logger
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.server import Observer


class Events(Observer):
    """Logs the responses that ended before their time, and defects of the router itself."""

    def __init__(self, log: Logger, go_log: GoLog) -> None:
        self._log = log
        self._go_log = go_log
        self._attempts = AttemptLog(log, go_log)

    def cut_short(self, exchange: Exchange, reason: str) -> None:
        assert isinstance(exchange, RouterExchange)
        if reason == "context deadline exceeded":
            self._attempts.timed_out(exchange)
        self._go_log.line(f"httputil: ReverseProxy read error during body copy: {reason}")

    def handshake_failed(self, peer: str, reason: str) -> None:
        self._go_log.line(f"http: TLS handshake error from {peer}: {reason}")

    def misled(self, reason: str) -> None:
        self._go_log.line(f"[ERR] Failed to read proxy prefix: {reason}")

    def panicked(self, exchange: Exchange, defect: Exception) -> None:
        assert isinstance(exchange, RouterExchange)
        story = "".join(traceback.format_exception(defect))
        host = exchange.request.host.decode("latin-1")
        error = str(defect) if isinstance(defect, Panic) else f"{type(defect).__name__}: {defect}"
        self._log.error("panic-check", host=host, error=error, stacktrace=story, **exchange.trace_fields)
