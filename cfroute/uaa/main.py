"""`cfroute uaa -c uaa.yml`: the UAA as a daemon."""

import argparse
import asyncio
import signal
from collections.abc import Sequence

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.errors import ConfigurationError
from cfroute.logs import Logger
from cfroute.uaa import config as configuration


def main(argv: Sequence[str]) -> int:
    """Serve until asked to stop; the exit status. SIGHUP makes it read its keys anew."""
    parser = argparse.ArgumentParser(prog="cfroute uaa", description="Hands out and explains OAuth tokens.")
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="configuration file (uaa.yml)")
    path = parser.parse_args(argv).config
    config = configuration.load(path)

    async def serve(stop: daemon.Stop) -> int:
        return await _serve(path, config, stop)

    return daemon.run(serve)


async def _serve(path: str, config: configuration.Config, stop: daemon.Stop) -> int:
    from cfroute.uaa import parts
    from cfroute.uaa.keys import Keys

    log, clock = Logger("uaa"), SystemClock()
    keys = Keys(config)
    store = parts.open_store(config, clock)
    application = parts.assemble(config, store, keys, clock, log)

    def rotate() -> None:
        try:
            keys.rotate(configuration.load(path))
            log.info("keys-rotated", keys=[key["kid"] for key in keys.public])
        except ConfigurationError as error:
            log.error("keys-not-rotated", error=error.message)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, rotate)
    certificate = (config.certificate, config.key) if config.certificate else None
    async with daemon.serving(application, config.address, config.port, certificate=certificate) as port:
        log.info("started", address=config.address, port=port)
        await stop.wait()
    store.close()
    log.info("stopped")
    return 0
