"""The foundation's resolver map: which address really answers for a public name and port.

`*.cf.localhost` resolves nowhere in particular (getaddrinfo mostly fails for it), and the load balancer seldom has ports 80 and
443. So whoever dials a public name of the foundation looks here first; everything else is dialled as it is named.
"""

from collections.abc import Sequence

import msgspec


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """name (exact, or `*.suffix` for any depth) and port are dialled at address and to_port."""

    name: str
    port: int
    address: str
    to_port: int

    def matches(self, host: str, port: int) -> bool:
        if port != self.port:
            return False
        host = host.lower().removesuffix(".")
        return host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name


def resolve(mappings: Sequence[Mapping], host: str, port: int) -> tuple[str, int]:
    """Where to dial for host and port."""
    for mapping in mappings:
        if mapping.matches(host, port):
            return mapping.address, mapping.to_port
    return host, port
