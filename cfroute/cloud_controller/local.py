"""The Cloud Controller without a process of its own: the same API on the same database, while the foundation is down."""

import sys
from typing import TYPE_CHECKING

from cfroute.clock import SystemClock
from cfroute.cloud_controller import config as configuration
from cfroute.home import Home
from cfroute.logs import Logger

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def local_app(home: Home, uaa: "ASGIApp") -> "ASGIApp":
    """The API that `cfroute cloud-controller` would serve with the state folder's configuration.

    Tokens are checked with the UAA's public key, and `uaa` is asked for the names of users. What needs running instances says
    that the foundation is down.
    """
    from cfroute.cloud_controller import app, parts
    from cfroute.cloud_controller.brokers.none import NoBrokers
    from cfroute.cloud_controller.deployments.none import NoDeployments
    from cfroute.cloud_controller.diego.sync import NoDiego
    from cfroute.cloud_controller.routing import NoRoutingApi
    from cfroute.cloud_controller.uaa.keys import FileKeys
    from cfroute.cloud_controller.uaa.names import UaaNames
    from cfroute.cloud_controller.uaa.near import NearUaa

    config = configuration.load(home.config / "cloud_controller_ng.yml")
    clock = SystemClock()
    # Standard output belongs to the command that uses us.
    log = Logger("cloud_controller", stream=sys.stderr)
    database = parts.open_database(config, clock)
    keys = FileKeys(config.uaa_public_key)
    near = NearUaa(config, uaa)
    names = UaaNames(near, config.uaa_url, near)
    absent = NoDiego(), NoRoutingApi(), NoBrokers(), NoDeployments()
    platform = parts.assemble(config, database, keys, *absent, names, near, clock, log)
    return app.external_app(platform)
