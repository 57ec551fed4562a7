"""The UAA's configuration file, `uaa.yml`."""

from pathlib import Path

import msgspec

from cfroute.errors import ConfigurationError


class Client(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A program that asks for tokens: on its own behalf (`authorities`) or on a user's (`scope`).

    generated: the secret is random (256 bits), or empty; without it, it may be one that a person chose.
    """

    secret: str = ""
    generated: bool = False
    authorities: list[str] = []
    scope: list[str] = []
    grants: list[str] = msgspec.field(default_factory=lambda: ["client_credentials"])


class User(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A person; a token holds the scopes that are both the client's and among these groups. generated: as of a client."""

    name: str
    password: str
    groups: list[str] = []
    generated: bool = False


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where the UAA listens, what it signs with, whom it knows from the start. Validities are in seconds."""

    issuer: str
    database: str
    signing_key: str
    address: str = "127.0.0.1"
    port: int = 8443
    certificate: str = ""
    key: str = ""
    access_token_validity: int = 1200
    refresh_token_validity: int = 2_592_000
    clients: dict[str, Client] = {}
    users: list[User] = []


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    import msgspec.yaml

    try:
        return msgspec.yaml.decode(Path(path).read_bytes(), type=Config)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
