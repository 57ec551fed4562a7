"""Asks a Routing API: routers for routes and their changes, route emitters to register them, others for the router groups.

Each method takes the token to show; "" is none. Whoever gets `Unauthorized` fetches another one and asks again.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from cfroute.clock import Clock
from cfroute.http_client import Client, Headers
from cfroute.routing_api.api import Event, R, Route, RouterGroup, TcpRoute
from cfroute.routing_api.errors import refusal, unreadable
from cfroute.routing_api.subscription import Subscription
from cfroute.unreadable import UNREADABLE

TIMEOUT: Final = 60.0  # seconds, upstream's
RETRY_AFTER: Final = 1.0  # seconds, upstream's

_EVENTS: Final[dict[type, str]] = {Route: "events", TcpRoute: "tcp_routes/events"}
_JSON: Final = ("Content-Type", "application/json")
_encode: Final = msgspec.json.Encoder().encode
T = TypeVar("T")


def mutual_tls(authorities: str, certificate: str, key: str) -> ssl.SSLContext:
    """For clients that prove who they are: the server's authorities, and the own chain and its key, all as PEM files.

    Raises OSError for a file that cannot be read or used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False  # Go looks at the alternative names only
    context.load_verify_locations(cafile=authorities)
    context.load_cert_chain(certificate, key)
    return context


class RoutingApi:
    """One Routing API. All methods raise Unreachable when it does not answer, ApiError when it refuses or talks nonsense."""

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext | None,
        clock: Clock,
        *,
        timeout: float = TIMEOUT,
        retry_after: float = RETRY_AFTER,
    ) -> None:
        """`url` has scheme, host and port. `retry_after` is between the tries to subscribe; both times are in seconds."""
        self._url = f"{url.rstrip('/')}/routing/v1/"
        self._client = Client(context, timeout)
        self._clock = clock
        self._retry_after = retry_after

    async def routes(self, token: str) -> list[Route]:
        """All HTTP routes."""
        return await self._list("routes", token, Route)

    async def tcp_routes(self, token: str, isolation_segments: Sequence[str] = ()) -> list[TcpRoute]:
        """The TCP routes of these isolation segments ("" is those of none), or of all."""
        query = urlencode([("isolation_segment", segment) for segment in isolation_segments])
        return await self._list(f"tcp_routes?{query}" if query else "tcp_routes", token, TcpRoute)

    async def create_tcp_routes(self, token: str, routes: Sequence[TcpRoute]) -> None:
        """Register or renew them: all, or none."""
        await self._ask("POST", "tcp_routes/create", token, _encode(routes))

    async def delete_tcp_routes(self, token: str, routes: Sequence[TcpRoute]) -> None:
        """Delete them; those that are not there are none the worse."""
        await self._ask("POST", "tcp_routes/delete", token, _encode(routes))

    async def router_groups(self, token: str, name: str = "") -> list[RouterGroup]:
        """All router groups, or the one of that name (ApiError 404 if there is none)."""
        return await self._list(f"router_groups?{urlencode({'name': name})}" if name else "router_groups", token, RouterGroup)

    @contextlib.asynccontextmanager
    async def events(
        self, kind: type[R], token: str, *, on_resumed: Callable[[], object] | None = None
    ) -> AsyncIterator[AsyncIterator[Event[R]]]:
        """Subscribe to the changes of HTTP or TCP routes; inside of the block one is subscribed.

        Waits for a server that is away, and takes up a stream that is cut off. The iteration ends when the server ends the
        stream; subscribing and iterating raise ApiError, and never Unreachable. `on_resumed` is called when the stream has been
        taken up again: events may have been missed.
        """
        url = self._url + _EVENTS[kind]
        headers = (_authorization(token),)
        subscription = Subscription(self._client, url, headers, kind, self._clock, self._retry_after, on_resumed)
        try:
            yield subscription.events(await subscription.open())
        finally:
            await subscription.close()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _list(self, path: str, token: str, kind: type[T]) -> list[T]:
        body = await self._ask("GET", path, token)
        try:
            return msgspec.json.decode(body, type=list[kind] | None) or []  # type: ignore[valid-type]
        except UNREADABLE as error:
            raise unreadable("the answer", error) from error

    async def _ask(self, method: str, path: str, token: str, body: bytes = b"") -> bytes:
        headers: Headers = (_authorization(token), _JSON)
        status, answer = await self._client.request(method, self._url + path, body, headers)
        if status > 299:
            raise refusal(status, answer)
        return answer


def _authorization(token: str) -> tuple[str, str]:
    return "Authorization", f"bearer {token}".strip()
