"""`cfroute bbs -c bbs.yml`: what should run, what does run, and who is to close the gap."""

import argparse
import asyncio
import contextlib
import uuid
from collections.abc import Sequence

from cfroute import daemon, health
from cfroute.clock import Clock, SystemClock
from cfroute.diego.bbs.app import JSON, PONG, application
from cfroute.diego.bbs.config import Config, load
from cfroute.diego.bbs.service import Service
from cfroute.diego.bbs.state import State
from cfroute.diego.bbs.store import Store
from cfroute.diego.client import tls_context
from cfroute.http_client import Client
from cfroute.logs import Logger


def main(argv: Sequence[str]) -> int:
    """Run a BBS until SIGTERM. Raises ConfigurationError for an unusable configuration."""
    parser = argparse.ArgumentParser(prog="cfroute bbs", description=__doc__)
    parser.add_argument("-c", dest="config", required=True, metavar="FILE", help="bbs.yml")
    config = load(parser.parse_args(argv).config)
    return daemon.run(lambda stop: serve(config, stop, SystemClock()))


async def serve(config: Config, stop: daemon.Stop, clock: Clock) -> int:
    """Serve until asked to stop; the exit status."""
    log = Logger("bbs", clock=clock)
    store = Store(config.database)
    state = State(clock, lambda: str(uuid.uuid4()))
    state.load(store.things())
    trust = tls_context(config.ca, config.client_certificate, config.client_key)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(store.close)
        peer = Client(trust, timeout=10)
        stack.push_async_callback(peer.aclose)
        service = Service(state, store, peer, clock, log)
        service.resume()
        background = [daemon.spawn(service.converge_for_ever(), name="converge")]
        if store.fresh:
            background.append(daemon.spawn(service.refill(config.cloud_controller_url), name="refill"))
        stack.push_async_callback(_end, background)
        identity = (config.certificate, config.key)
        await stack.enter_async_context(
            daemon.serving(application(service), config.address, config.port, certificate=identity, client_ca=config.ca)
        )
        await stack.enter_async_context(
            health.answering(config.address, config.health_port, PONG, path="/ping", content_type=JSON)
        )
        log.info("started", address=config.address, port=config.port, fresh=store.fresh)
        await stop.wait()
        service.hub.close()  # streams never end by themselves, and the server waits for what is open
        log.info("exited")
    return 0


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
