"""Putting the UAA together, for the daemon and for use in another process."""

import secrets
import uuid
from typing import TYPE_CHECKING

from cfroute.clock import Clock
from cfroute.logs import Logger
from cfroute.uaa.config import Config
from cfroute.uaa.keys import Keys
from cfroute.uaa.store import Store

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def new_guid() -> str:
    return str(uuid.uuid4())


def open_store(config: Config, clock: Clock) -> Store:
    """The database, with those in it whom the configuration names. Raises ConfigurationError."""
    store = Store.open(config.database)
    with store.database.writing():
        scopes = (scope for client in config.clients.values() for scope in client.scope if scope != "uaa.none")
        groups = (group for user in config.users for group in user.groups)
        store.groups.ensure([*config.default_groups, *scopes, *groups], new_guid)
        store.clients.seed(config.clients)
        store.users.seed(config.users, config.default_groups, new_guid, clock.now())
    return store


def assemble(config: Config, store: Store, keys: Keys, clock: Clock, log: Logger) -> "ASGIApp":
    from cfroute.uaa import app

    chance = app.Chance(new_guid, lambda: uuid.uuid4().hex, lambda: secrets.token_urlsafe(16))
    return app.build(config, store, keys, clock, chance, log)
