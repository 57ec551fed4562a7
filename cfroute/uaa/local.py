"""The UAA without a process of its own: the same app and database, for use while the foundation is down."""

import sys
from typing import TYPE_CHECKING

from cfroute.clock import SystemClock
from cfroute.home import Home
from cfroute.logs import Logger
from cfroute.uaa import config as configuration

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def local_app(home: Home) -> "ASGIApp":
    """The app that `cfroute uaa` would serve with the state folder's `uaa.yml`."""
    from cfroute.uaa import parts
    from cfroute.uaa.keys import Keys

    config, clock = configuration.load(home.config / "uaa.yml"), SystemClock()
    # Standard output belongs to the command that uses us.
    return parts.assemble(config, parts.open_store(config, clock), Keys(config), clock, Logger("uaa", stream=sys.stderr))
