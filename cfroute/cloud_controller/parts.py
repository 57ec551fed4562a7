"""Putting the Cloud Controller together, for the daemon and for use in another process."""

import random
import uuid

from cfroute.clock import Clock
from cfroute.cloud_controller.bits.blobs import Blobs
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.platform import Brokers, Deployments, Diego, Platform, Uaa
from cfroute.cloud_controller.routing import Routing
from cfroute.cloud_controller.seed import seed
from cfroute.cloud_controller.uaa.keys import KeySource
from cfroute.cloud_controller.uaa.names import Names
from cfroute.cloud_controller.uaa.tokens import TokenChecker
from cfroute.log_cache import LogWriter
from cfroute.logs import Logger


def new_guid() -> str:
    return str(uuid.uuid4())


def open_database(config: Config, clock: Clock) -> Database:
    """The database, with what every foundation has in it. Raises ConfigurationError."""
    database = Database.open(config.database, clock, new_guid)
    seed(database, config)
    return database


def assemble(
    config: Config,
    database: Database,
    keys: KeySource,
    diego: Diego,
    routing: Routing,
    brokers: Brokers,
    deployments: Deployments,
    names: Names,
    uaa: Uaa,
    clock: Clock,
    log: Logger,
) -> Platform:
    return Platform(
        config=config,
        database=database,
        blobs=Blobs(config.blobs),
        tokens=TokenChecker(keys, config.uaa_issuer, clock),
        diego=diego,
        routing=routing,
        brokers=brokers,
        deployments=deployments,
        names=names,
        uaa=uaa,
        app_logs=LogWriter(config.app_logs, clock=clock),
        clock=clock,
        new_guid=new_guid,
        chance=random.SystemRandom(),
        log=log,
    )
