"""The UAA without a process of its own: the same app and database, for use while the foundation is down."""

import uuid
from typing import TYPE_CHECKING

from cfroute.clock import SystemClock
from cfroute.home import Home
from cfroute.uaa import config as configuration

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def local_app(home: Home) -> "ASGIApp":
    """The app that `cfroute uaa` would serve with the state folder's `uaa.yml`."""
    from cfroute.uaa import app
    from cfroute.uaa.keys import SigningKey
    from cfroute.uaa.store import Store

    config = configuration.load(home.config / "uaa.yml")
    store = Store.open(config.database)
    store.seed(config.clients, config.users, lambda: str(uuid.uuid4()))
    return app.build(config, store, SigningKey.load(config.signing_key), SystemClock(), lambda: uuid.uuid4().hex)
