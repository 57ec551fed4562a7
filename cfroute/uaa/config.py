"""The UAA's configuration file, `uaa.yml`."""

from pathlib import Path

import msgspec

from cfroute.config_file import load_yaml
from cfroute.errors import ConfigurationError
from cfroute.jwt import KEY_ID
from cfroute.uaa.lockout import Lockout

# What every user of a Cloud Foundry may do.
DEFAULT_GROUPS = (
    "approvals.me",
    "cloud_controller.read",
    "cloud_controller.write",
    "cloud_controller_service_permissions.read",
    "oauth.approvals",
    "openid",
    "password.write",
    "profile",
    "roles",
    "scim.me",
    "uaa.offline_token",
    "uaa.user",
    "user_attributes",
)


class Client(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A program that asks for tokens: on its own behalf (`authorities`) or on a user's (`scope`).

    generated: the secret is random (256 bits), or empty; without it, it may be one that a person chose.
    Validities of its tokens are in seconds; None for the UAA's.
    """

    secret: str = ""
    generated: bool = False
    authorities: list[str] = []
    scope: list[str] = []
    grants: list[str] = msgspec.field(default_factory=lambda: ["client_credentials"])
    access_token_validity: int | None = None
    refresh_token_validity: int | None = None


class User(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A person; a token holds the scopes that are both the client's and among these groups. generated: as of a client."""

    name: str
    password: str
    groups: list[str] = []
    generated: bool = False


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where the UAA listens, what it signs with, whom it knows from the start. Validities are in seconds.

    signing_key is the file of the key that signs, and signing_key_id its name; verification_keys are the files, by name, of
    those (private or public) that have signed before. default_groups are those that every new user is in.
    """

    issuer: str
    database: str
    signing_key: str
    signing_key_id: str = KEY_ID
    verification_keys: dict[str, str] = {}
    address: str = "127.0.0.1"
    port: int = 8443
    certificate: str = ""
    key: str = ""
    access_token_validity: int = 43_200
    refresh_token_validity: int = 2_592_000
    rotate_refresh_tokens: bool = False
    lockout: Lockout = Lockout()
    default_groups: list[str] = msgspec.field(default_factory=lambda: list(DEFAULT_GROUPS))
    clients: dict[str, Client] = {}
    users: list[User] = []


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    config = load_yaml(path, Config)
    if config.signing_key_id in config.verification_keys:
        raise ConfigurationError(f"{path}: verification_keys: {config.signing_key_id} is the name of the signing key")
    return config
