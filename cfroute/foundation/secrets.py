"""The passwords of a foundation: made once, kept in `secrets.json` (0600)."""

import secrets
from collections.abc import Callable

import msgspec

from cfroute.errors import ConfigurationError
from cfroute.foundation.option_values import Credentials
from cfroute.home import Home, write_secretly

# Clients of the UAA that have a secret, as a real deployment seeds them; `cf` has an empty one.
CLIENTS = (
    "cc_routing",
    "cloud_controller_username_lookup",
    "gorouter",
    "routing_api_client",
    "tcp_emitter",
    "tcp_router",
)


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that must not be printed.

    `external_nats` belongs to the servers named by `--nats`, `routing_database_password` to that of `--routing-database`.
    """

    admin_password: str
    nats_user: str = "nats"
    nats_password: str
    route_services_secret: str
    gorouter_status_user: str = "gorouter-status"
    gorouter_status_password: str
    uaa_clients: dict[str, str]
    external_nats: Credentials = Credentials()
    routing_database_password: str = ""


def load_or_create(home: Home, token: Callable[[], str] = secrets.token_urlsafe) -> Secrets:
    """The secrets of this state folder; `token` makes a new one. Raises ConfigurationError for a damaged file."""
    if not home.secrets.exists():
        return store(home, _create(token))
    try:
        known = msgspec.json.decode(home.secrets.read_bytes(), type=Secrets)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigurationError(
            f"{home.secrets} cannot be read: {error}", "mend it, or delete it to get new secrets at the next `cfroute up`"
        ) from error
    # The folder may be of a cfroute that had other clients.
    missing = {name: token() for name in CLIENTS if name not in known.uaa_clients}
    return store(home, msgspec.structs.replace(known, uaa_clients={**known.uaa_clients, **missing})) if missing else known


def store(home: Home, values: Secrets) -> Secrets:
    """Keep `values`, and return them."""
    write_secretly(home.secrets, msgspec.json.format(msgspec.json.encode(values)) + b"\n")
    return values


def _create(token: Callable[[], str]) -> Secrets:
    return Secrets(
        admin_password=token(),
        nats_password=token(),
        route_services_secret=token(),
        gorouter_status_password=token(),
        uaa_clients={name: token() for name in CLIENTS},
    )
