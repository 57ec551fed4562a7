"""The resolver map: public names that no name server knows, and where they really are."""

from collections.abc import Iterable

from cfroute.diego.cell.config import Mapping


def resolve(mappings: Iterable[Mapping], host: str, port: int) -> tuple[str, int]:
    """Where to dial for `host`:`port`: as the first fitting entry says, or as it is.

    `*.x` fits every name under x, as the DNS wildcard in front of a foundation does. An entry also fits the port that
    it leads to: `https://app.x:8443` and `https://app.x` are the same place.
    """
    name = host.rstrip(".").lower()
    for mapping in mappings:
        if port in (mapping.port, mapping.to_port) and _fits(mapping.name.lower(), name):
            return mapping.address, mapping.to_port
    return host, port


def _fits(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) > len(pattern) - 1
    return name == pattern
