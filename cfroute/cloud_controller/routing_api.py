"""The Cloud Controller as a client of the Routing API."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cfroute.clock import Clock
from cfroute.cloud_controller.actions import router_groups as stored
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.errors import UNAVAILABLE, ApiError
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
# Headers that belong to one connection, and those that whoever sends the message on makes himself.
_OWN = frozenset(
    ("connection", "content-length", "date", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
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
        query = f"?{request.url.query}" if request.url.query else ""
        headers = [(name, value) for name, value in request.headers.items() if name not in _OWN]
        silence = SILENCE if request.url.path.endswith("/events") else None
        asked = self._http.stream(request.method, f"{self._url}{request.url.path}{query}", body, timeout=silence, headers=headers)
        connection = contextlib.AsyncExitStack()
        try:
            answer = await connection.enter_async_context(asked)
        except Unreachable as error:
            raise ApiError(UNAVAILABLE, AWAY) from error
        if request.method != "GET" and _GROUPS in request.url.path and not answer.is_error:
            with contextlib.suppress(ApiError):  # the next look makes up for it
                await self.refresh()

        async def chunks() -> AsyncIterator[bytes]:
            async with connection:
                async for chunk in answer.chunks():
                    yield chunk

        kept = {name: value for name, value in answer.headers if name not in _OWN}
        return StreamingResponse(chunks(), answer.status, kept)
