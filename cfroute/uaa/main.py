"""`cfroute uaa -c uaa.yml`: the UAA as a daemon."""

import argparse
import uuid
from collections.abc import Sequence

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.logs import Logger
from cfroute.uaa import config as configuration


def main(argv: Sequence[str]) -> int:
    """Serve until asked to stop; the exit status."""
    parser = argparse.ArgumentParser(prog="cfroute uaa", description="Hands out and explains OAuth tokens.")
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="configuration file (uaa.yml)")
    config = configuration.load(parser.parse_args(argv).config)

    async def serve(stop: daemon.Stop) -> int:
        return await _serve(config, stop)

    return daemon.run(serve)


async def _serve(config: configuration.Config, stop: daemon.Stop) -> int:
    from cfroute.uaa import app
    from cfroute.uaa.keys import SigningKey
    from cfroute.uaa.store import Store

    log = Logger("uaa")
    key = SigningKey.load(config.signing_key)
    store = Store.open(config.database)
    store.seed(config.clients, config.users, lambda: str(uuid.uuid4()))
    application = app.build(config, store, key, SystemClock(), lambda: uuid.uuid4().hex)
    certificate = (config.certificate, config.key) if config.certificate else None
    async with daemon.serving(application, config.address, config.port, certificate=certificate) as port:
        log.info("started", address=config.address, port=port)
        await stop.wait()
    store.close()
    log.info("stopped")
    return 0
