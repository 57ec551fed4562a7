"""What the API needs of the Routing API: which router groups there are, and what `links.routing` leads to.

Router groups are asked for before each request that needs them, as upstream does, and kept in the database: handlers find them
there, and so does the Cloud Controller that runs inside of a command while the foundation is down.
"""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from cfroute.cloud_controller.errors import UNAVAILABLE, ApiError

AWAY = "The Routing API is currently unavailable. Please try again later."
DISABLED = "The Routing API is disabled."


class Routing(Protocol):
    """What the API needs of the Routing API."""

    async def refresh(self) -> None:
        """Have the database know the router groups of this moment. Raises ApiError 10015."""

    async def forward(self, request: Request, body: bytes) -> Response | None:
        """The Routing API's answer to a request below `/routing`; None when there is none to ask. Raises ApiError 10015."""


class NoRoutingApi:
    """While the foundation is down: what was last known holds."""

    async def refresh(self) -> None:
        """There is nobody to ask."""

    async def forward(self, request: Request, body: bytes) -> Response | None:
        return None


class DisabledRoutingApi:
    """A foundation without one."""

    async def refresh(self) -> None:
        raise ApiError(UNAVAILABLE, DISABLED)

    async def forward(self, request: Request, body: bytes) -> Response | None:
        raise ApiError(UNAVAILABLE, DISABLED)
