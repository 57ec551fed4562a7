"""JSON as the Routing API sends it."""

from typing import Any

import msgspec

from cfroute.lager import go_escaped

_encode = msgspec.json.Encoder().encode


def encode(value: Any) -> bytes:
    """Compact, without a new line."""
    return go_escaped(_encode(value))
