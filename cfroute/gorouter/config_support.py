"""Which settings this router takes but does not act on. It says so at its start, rather than leave anybody to find out."""

from collections.abc import Callable
from typing import Final

from cfroute.gorouter.config import Config

# Key of the file -> whether this configuration asks for what is not there.
_WITHOUT_EFFECT: Final[dict[str, Callable[[Config], bool]]] = {
    "http_1_endpoint_timeout": lambda config: config.http_1_endpoint_timeout != config.endpoint_timeout,
    "http_2_endpoint_timeout": lambda config: config.http_2_endpoint_timeout != config.endpoint_timeout,
}


def without_effect(config: Config) -> list[str]:
    """The keys that this configuration sets in vain, in the order of upstream's documentation."""
    return [key for key, asked in _WITHOUT_EFFECT.items() if asked(config)]
