"""Responses that the proxy makes itself."""

from dataclasses import dataclass, field

from cfroute.proxy.headers import Headers


@dataclass(slots=True)
class Answer:
    """A complete response. `bare` is written instead of everything else, and the connection closed after it."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=Headers)
    bare: bytes | None = None
