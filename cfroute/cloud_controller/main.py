"""`cfroute cloud-controller -c cloud_controller_ng.yml`: the Cloud Controller as a daemon."""

import argparse
from collections.abc import Sequence

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.cloud_controller import config as configuration
from cfroute.logs import Logger


def main(argv: Sequence[str]) -> int:
    """Serve until asked to stop; the exit status."""
    parser = argparse.ArgumentParser(prog="cfroute cloud-controller", description="Serves the v3 API.")
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="configuration file (cloud_controller_ng.yml)")
    config = configuration.load(parser.parse_args(argv).config)

    async def serve(stop: daemon.Stop) -> int:
        return await _serve(config, stop)

    return daemon.run(serve)


async def _serve(config: configuration.Config, stop: daemon.Stop) -> int:
    import httpx

    from cfroute.cloud_controller import app, parts
    from cfroute.cloud_controller.auth import UAAKeys
    from cfroute.cloud_controller.diego_sync import DiegoSync
    from cfroute.diego.client import BBSClient, tls_context

    clock, log = SystemClock(), Logger("cloud_controller")
    database = parts.open_database(config, clock)
    bbs = BBSClient(config.bbs_url, config.ca, config.client_certificate, config.client_key)
    diego = DiegoSync(bbs, database, config, clock, log.session("diego-sync"))
    trust = tls_context(config.uaa_ca or None, None, None)
    async with httpx.AsyncClient(verify=trust, timeout=5.0, trust_env=False) as client:
        keys = UAAKeys(client, config.uaa_url, clock)
        platform = parts.assemble(config, database, keys, diego, clock, log)
        own = (config.internal_certificate, config.internal_key)
        async with (
            daemon.serving(
                app.internal_app(platform),
                config.internal_address,
                config.internal_port,
                certificate=own,
                client_ca=config.ca,
            ),
            daemon.serving(app.external_app(platform), config.external_address, config.external_port) as port,
        ):
            syncing = daemon.spawn(diego.run(), name="sync with the BBS")
            log.info("started", address=config.external_address, port=port)
            await stop.wait()
            syncing.cancel()
    await bbs.aclose()
    database.close()
    log.info("stopped")
    return 0
