"""The Cloud Controller as a client of the Routing API."""

import contextlib
import ssl
from collections.abc import Awaitable, Callable

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from cfroute.clock import Clock
from cfroute.cloud_controller.actions import router_groups as stored
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.errors import UNAVAILABLE, ApiError
from cfroute.cloud_controller.forwarding import forward, kept, target
from cfroute.cloud_controller.router_groups import ports
from cfroute.cloud_controller.routing import AWAY
from cfroute.http_client import Client, Unreachable
from cfroute.logs import Logger
from cfroute.routing_api import client
from cfroute.routing_api.api import RouterGroup
from cfroute.routing_api.errors import ApiError as Refusal
from cfroute.routing_api.errors import Unauthorized
from cfroute.uaa.client import Tokens, UaaError

UAA_AWAY = "Communicating with the Routing API failed because UAA is currently unavailable. Please try again later."
# Seconds: for one answer, between two looks without a request, after one that failed, for an event stream to be silent.
TIMEOUT, LOOK, RETRY, SILENCE = 5.0, 30.0, 0.5, 86_400.0
_GROUPS = "/v1/router_groups"


class RoutingApi:
    """A Routing API at a URL. `moved` is told of the apps whose routes are in another router group now."""

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext | None,
        tokens: Tokens,
        database: Database,
        moved: Callable[[set[str]], Awaitable[None]],
        clock: Clock,
        log: Logger,
    ) -> None:
        """`url` has scheme, host and port; `context` is for https."""
        self._url = url.rstrip("/")
        self._api = client.RoutingApi(url, context, clock, timeout=TIMEOUT)
        self._http = Client(context, TIMEOUT)
        self._tokens = tokens
        self._database = database
        self._moved = moved
        self._clock = clock
        self._log = log

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.aclose()
        await self._http.aclose()
        await self._tokens.aclose()

    async def run(self) -> None:
        """Look at the groups now and then: a foundation that is taken down has to know them."""
        complaint = ""
        while True:
            try:
                await self.refresh()
                complaint, pause = "", LOOK
            except (ApiError, SQLAlchemyError) as error:
                if complaint != str(error):
                    self._log.warn("router-groups-unknown", error=str(error), cause=str(error.__cause__))
                complaint, pause = str(error), RETRY
            await self._clock.sleep(pause)

    async def refresh(self) -> None:
        seen = sorted(await self._groups(), key=lambda group: group.name)
        if apps := await to_thread.run_sync(self._keep, seen):
            await self._moved(apps)

    def _keep(self, seen: list[RouterGroup]) -> set[str]:
        with self._database.reading() as session:
            if stored.known(session) == seen:
                return set()
        with self._database.writing() as session:
            return stored.keep(session, seen)

    async def _groups(self) -> list[RouterGroup]:
        try:
            try:
                found = await self._api.router_groups(await self._tokens.fetch())
            except Unauthorized:
                found = await self._api.router_groups(await self._tokens.fetch(anew=True))
            for group in found:
                ports(group.reservable_ports)
        except UaaError as error:
            raise ApiError(UNAVAILABLE, UAA_AWAY) from error
        except (Unreachable, Refusal, ValueError) as error:
            raise ApiError(UNAVAILABLE, AWAY) from error
        return found

    async def forward(self, request: Request, body: bytes) -> Response | None:
        path = request.url.path
        silence = SILENCE if path.endswith("/events") else None
        changes = request.method != "GET" and _GROUPS in path

        async def look_again(status: int) -> None:
            if changes and status < 400:
                with contextlib.suppress(ApiError):  # the next look makes up for it
                    await self.refresh()

        headers = kept(request.headers.items())
        url = self._url + target(request, "")
        try:
            return await forward(self._http, request, url, body, headers=headers, timeout=silence, first=look_again)
        except Unreachable as error:
            raise ApiError(UNAVAILABLE, AWAY) from error
