"""The Cloud Controller at work: its two listeners, its database, the keys of the UAA, and the line to the BBS."""

import ssl

from cfroute import daemon
from cfroute.clock import Clock, SystemClock
from cfroute.cloud_controller import app, log_sweep, parts
from cfroute.cloud_controller.brokers.worker import BrokerWorker
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.deployments.worker import DeploymentWorker
from cfroute.cloud_controller.diego.sync import DiegoSync
from cfroute.cloud_controller.routing import DisabledRoutingApi
from cfroute.cloud_controller.routing_api import RoutingApi
from cfroute.cloud_controller.uaa.keys import UAAKeys
from cfroute.cloud_controller.uaa.names import UaaNames
from cfroute.cloud_controller.uaa.remote import RemoteUaa
from cfroute.diego.client import BBSClient, tls_context
from cfroute.http_client import Client
from cfroute.log_cache import ingress
from cfroute.logs import Logger
from cfroute.uaa.client import Credentials, Patience, TokenFetcher

_UAA_TIMEOUT = 5.0  # seconds


async def serve(config: Config, stop: daemon.Stop) -> int:
    """Serve until asked to stop; the exit status."""
    clock, log = SystemClock(), Logger("cloud_controller")
    database = parts.open_database(config, clock)
    bbs = BBSClient(config.bbs_url, config.ca, config.client_certificate, config.client_key)
    diego = DiegoSync(bbs, database, config, clock, log.session("diego-sync"))
    uaa = Client(tls_context(config.uaa_ca or None, None, None), _UAA_TIMEOUT)
    routing = _routing(config, database, diego, clock, log.session("routing-api"))
    names = _names(config, uaa, clock, log.session("uaa"))
    origin = RemoteUaa(uaa, config.uaa_url, config.external_url)
    client = _broker_client(config)
    brokers = BrokerWorker(client, database, diego, config, clock, parts.new_guid, log.session("brokers"))
    deployments = DeploymentWorker(database, diego, config, clock, parts.new_guid, log.session("deployments"))
    keys = UAAKeys(uaa, config.uaa_url, clock)
    platform = parts.assemble(config, database, keys, diego, routing, brokers, deployments, names, origin, clock, log)
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
            daemon.spawn(brokers.run(), name="ask service brokers"),
            daemon.spawn(deployments.run(), name="carry deployments on"),
            daemon.spawn(log_sweep.run(config.app_logs, database, clock, log), name="sweep the app logs"),
        ]
        if isinstance(routing, RoutingApi):
            work.append(daemon.spawn(routing.run(), name="look at the router groups"))
        log.info("started", address=config.external_address, port=port)
        await stop.wait()
        for task in work:
            task.cancel()
    if isinstance(routing, RoutingApi):
        await routing.aclose()
    await names.aclose()
    await client.aclose()
    await uaa.aclose()
    await bbs.aclose()
    database.close()
    log.info("stopped")
    return 0


def _broker_client(config: Config) -> Client:
    context = ssl.create_default_context()
    if config.broker_ca:
        context.load_verify_locations(config.broker_ca)
    if config.skip_cert_verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return Client(context, config.broker_client_timeout_seconds, config.resolver)


def _names(config: Config, uaa: Client, clock: Clock, log: Logger) -> UaaNames:
    who = Credentials(config.uaa_client_name, config.uaa_client_secret)
    trust = tls_context(config.uaa_ca or None, None, None)
    tokens = TokenFetcher(config.uaa_url, who, trust, log, clock, Patience(retries=0), timeout=_UAA_TIMEOUT)
    return UaaNames(uaa, config.uaa_url, tokens)


def _routing(config: Config, database: Database, diego: DiegoSync, clock: Clock, log: Logger) -> RoutingApi | DisabledRoutingApi:
    if not config.routing_api_url:
        return DisabledRoutingApi()
    secure = config.routing_api_url.startswith("https:")
    certificate = config.routing_api_certificate or config.client_certificate
    key = config.routing_api_key or config.client_key
    context = tls_context(config.routing_api_ca or config.ca, certificate, key) if secure else None
    who = Credentials(config.routing_api_client_name, config.routing_api_client_secret)
    trust = tls_context(config.uaa_ca or None, None, None)
    tokens = TokenFetcher(config.uaa_url, who, trust, log, clock, Patience(retries=0), timeout=_UAA_TIMEOUT)
    return RoutingApi(config.routing_api_url, context, tokens, database, diego.push, clock, log)
