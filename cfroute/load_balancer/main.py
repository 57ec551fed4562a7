"""The load balancer process: `cfroute load-balancer -c load_balancer.yml`."""

import argparse
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence

from cfroute import durations
from cfroute.clock import Clock, SystemClock
from cfroute.daemon import Stop, run, spawn
from cfroute.errors import ConfigurationError
from cfroute.load_balancer.balancer import Balancer, StatusPages
from cfroute.load_balancer.config import Config, load
from cfroute.load_balancer.health import check, check_for_ever
from cfroute.load_balancer.routers import Routers
from cfroute.load_balancer.tcp_routers import TcpRouters
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
    tcp_routers = TcpRouters(config.tcp.routers, log) if config.tcp is not None else None
    status = ProxyServer(StatusPages(routers, tcp_routers), clock, Limits())
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
    async with _tcp_side(config, tcp_routers, clock, log):
        await stop.wait()
    log.info("draining", requests=proxy.active)
    proxy.stop_listening()
    await proxy.drain(_DRAIN_SECONDS)
    checks.cancel()
    proxy.abort()
    status.abort()
    log.info("stopped")
    return 0


@contextlib.asynccontextmanager
async def _tcp_side(config: Config, routers: TcpRouters | None, clock: Clock, log: Logger) -> AsyncIterator[None]:
    """Balance TCP connections while the block runs, if there is to be a TCP side; it then starts with what is healthy."""
    if config.tcp is None or routers is None:
        yield
        return
    from cfroute.load_balancer.tcp import TcpBalancer

    await check(routers)
    balancer = TcpBalancer(config.tcp, routers, clock, log)
    log.info("tcp-started", ports=len(routers.listening))
    checks = spawn(check_for_ever(routers, config.interval, clock), name="health checks of TCP routers")
    try:
        yield
    finally:
        log.info("tcp-stopping", connections=balancer.current)
        checks.cancel()
        balancer.close()


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
