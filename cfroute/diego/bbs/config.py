"""The BBS's configuration file."""

from pathlib import Path

import msgspec

from cfroute.config_file import load_yaml


class Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`bbs.yml`. Files are PEM; `ca` signs the client certificates that are let in."""

    address: str
    port: int = 8889
    health_port: int = 8890
    certificate: str
    key: str
    ca: str
    database: str
    cloud_controller_url: str
    client_certificate: str
    client_key: str


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    return load_yaml(path, Config)
