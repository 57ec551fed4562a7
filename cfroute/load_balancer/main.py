"""The load balancer process: `cfroute load-balancer -c load_balancer.yml`."""

import argparse
import ssl
from collections.abc import Sequence

from cfroute import durations
from cfroute.clock import SystemClock
from cfroute.daemon import Stop, run, spawn
from cfroute.errors import ConfigurationError
from cfroute.load_balancer.balancer import Balancer, StatusPages
from cfroute.load_balancer.config import Config, load
from cfroute.load_balancer.routers import Routers, check, check_for_ever
from cfroute.logs import Logger
from cfroute.proxy.server import Limits, ProxyServer

_DRAIN_SECONDS = 5.0


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM; exit status 1 when the configuration or an address is unusable."""
    parser = argparse.ArgumentParser(prog="cfroute load-balancer", description="The load balancer in front of the Gorouters.")
    parser.add_argument("-c", dest="config", required=True, metavar="FILE", help="its configuration file")
    path = parser.parse_args(argv).config
    log = Logger("load-balancer")
    try:
        config = load(path)
        context = _front_context(config)
    except ConfigurationError as error:
        log.error("Error loading config:", error=str(error))
        return 1
    return run(lambda stop: _serve(stop, config, context, log))


async def _serve(stop: Stop, config: Config, context: ssl.SSLContext, log: Logger) -> int:
    clock = SystemClock()
    routers = Routers(config.gorouters, log)
    # No limit on the whole exchange: the Gorouter has one, and knows which requests it does not apply to.
    limits = Limits(idle_timeout=durations.parse(config.idle_timeout), exchange_timeout=0)
    proxy = ProxyServer(Balancer(routers, log), clock, limits)
    status = ProxyServer(StatusPages(routers), clock, Limits())
    await check(routers)  # before the first client comes: a load balancer that starts again need not refuse anybody
    try:
        ports = {
            "status": await status.listen(config.address, config.status_port),
            "http": await proxy.listen(config.address, config.http_port),
            "https": await proxy.listen(config.address, config.https_port, context),
        }
    except OSError as error:
        log.error("listen-failed", error=str(error))
        status.abort()
        proxy.abort()
        return 1
    log.info("started", **ports)
    checks = spawn(check_for_ever(routers, config.interval, clock), name="health checks")
    await stop.wait()
    log.info("draining", requests=proxy.active)
    proxy.stop_listening()
    await proxy.drain(_DRAIN_SECONDS)
    checks.cancel()
    proxy.abort()
    status.abort()
    log.info("stopped")
    return 0


def _front_context(config: Config) -> ssl.SSLContext:
    """TLS towards clients. Raises ConfigurationError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(config.certificate, config.key)
    except OSError as error:
        files = f"`certificate` {config.certificate} and `key` {config.key}"
        raise ConfigurationError(f"{files} cannot be used: {error.strerror or error}") from error
    return context
