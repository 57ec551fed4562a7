"""The BBS's configuration file."""

import msgspec


class BBSConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
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
