"""The Cloud Controller at work: its two listeners, its database, the keys of the UAA, and the line to the BBS."""

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.cloud_controller import app, log_sweep, parts
from cfroute.cloud_controller.auth import UAAKeys
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.diego_sync import DiegoSync
from cfroute.diego.client import BBSClient, tls_context
from cfroute.http_client import Client
from cfroute.log_cache import ingress
from cfroute.logs import Logger

_UAA_TIMEOUT = 5.0  # seconds


async def serve(config: Config, stop: daemon.Stop) -> int:
    """Serve until asked to stop; the exit status."""
    clock, log = SystemClock(), Logger("cloud_controller")
    database = parts.open_database(config, clock)
    bbs = BBSClient(config.bbs_url, config.ca, config.client_certificate, config.client_key)
    diego = DiegoSync(bbs, database, config, clock, log.session("diego-sync"))
    uaa = Client(tls_context(config.uaa_ca or None, None, None), _UAA_TIMEOUT)
    platform = parts.assemble(config, database, UAAKeys(uaa, config.uaa_url, clock), diego, clock, log)
    platform.blobs.sweep()
    own = (config.internal_certificate, config.internal_key)
    internal = app.internal_app(platform)
    async with (
        daemon.serving(internal, config.internal_address, config.internal_port, certificate=own, client_ca=config.ca),
        daemon.serving(app.external_app(platform), config.external_address, config.external_port) as port,
        ingress.listening(config.metron_address, config.metron_port, platform.app_logs, clock, log.session("log-cache")),
    ):
        work = [
            daemon.spawn(diego.run(), name="sync with the BBS"),
            daemon.spawn(log_sweep.run(config.app_logs, database, clock, log), name="sweep the app logs"),
        ]
        log.info("started", address=config.external_address, port=port)
        await stop.wait()
        for task in work:
            task.cancel()
    await uaa.aclose()
    await bbs.aclose()
    database.close()
    log.info("stopped")
    return 0
