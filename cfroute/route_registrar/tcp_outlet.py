"""Tells TCP routes to the Routing API: a port of a router group that leads to a backend."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from cfroute.clock import Clock
from cfroute.http_client import Unreachable
from cfroute.lager import Lager
from cfroute.route_registrar.config import TcpRoute
from cfroute.route_registrar.errors import RegistrationError, Unusable
from cfroute.route_registrar.mappings import mapping
from cfroute.route_registrar.schema import RoutingApiSchema
from cfroute.route_registrar.turns import Verb
from cfroute.routing_api.client import RoutingApi, mutual_tls
from cfroute.routing_api.errors import ApiError, not_found
from cfroute.uaa import client as uaa

_PATIENCE: Final = uaa.Patience(retries=3, pause=0.5, buffer=30.0)  # upstream's
_CANNOT_FETCH: Final = "oauth2: cannot fetch token: "


class TcpOutlet:
    """Asks the Routing API, once for each time that a route is told, and of one at a time."""

    def __init__(self, api: RoutingApi, tokens: uaa.Tokens, max_ttl: float, log: Lager) -> None:
        """`max_ttl` is the most seconds that a route may live without being renewed."""
        self._api = api
        self._tokens = tokens
        self._max_ttl = max_ttl
        self._log = log
        self._guids: dict[str, str] = {}
        """Of the router groups, by their names."""
        self._asking = asyncio.Lock()

    async def tell(self, verb: Verb, route: TcpRoute) -> None:
        """Have the route there, or not there. Raises RegistrationError, logged."""
        async with self._asking:
            await self._tell(verb, route)

    async def _tell(self, verb: Verb, route: TcpRoute) -> None:
        token = await self._token()
        with self._failing("Failed to make route mapping"):
            guid = self._guids.get(route.router_group) or await self._found(route.router_group, token)
        self._log.info("Creating mapping")
        wanted = mapping(route, guid, self._max_ttl)
        if verb is Verb.REGISTER:
            with self._failing("Failed to upsert route mapping"):
                await self._api.create_tcp_routes(token, [wanted])
            self._log.info("Upserted route", route=wanted)
        else:
            with self._failing("Failed to delete route mapping"):
                await self._api.delete_tcp_routes(token, [wanted])
            self._log.info("Deleted route", route=wanted)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.aclose()
        await self._tokens.aclose()

    async def _token(self) -> str:
        self._log.info("refresh-token")
        try:
            return await self._tokens.fetch()
        except uaa.UaaError as error:
            why = _CANNOT_FETCH + str(error).removeprefix(_CANNOT_FETCH)
            self._log.error("token-error", error=why)
            self._log.error("Failed to refresh UAA token", error=why)
            raise RegistrationError(why) from error

    async def _found(self, name: str, token: str) -> str:
        """The guid of a router group. Raises Unreachable or ApiError."""
        groups = await self._api.router_groups(token, name)
        if not groups:
            raise not_found(f"Router group not found: {name}")
        guid = self._guids[name] = groups[0].guid
        self._log.info("Mapped new router group", router_group=name, guid=guid)
        return guid

    @contextlib.contextmanager
    def _failing(self, message: str) -> Iterator[None]:
        """Say that it has failed, if it does."""
        try:
            yield
        except (Unreachable, ApiError) as error:
            self._log.error(message, error=error.message)
            raise RegistrationError(error.message) from error


def tcp_outlet(config: RoutingApiSchema, max_ttl: float, clock: Clock, log: Lager) -> TcpOutlet:
    """The outlet to this Routing API. Raises Unusable for a URL that is none, and for files that cannot be used."""
    try:
        url = _oauth_url(config.oauth_url)
        context = uaa.tls_context(config.ca_certs, skip=config.skip_ssl_validation)
        api = RoutingApi(config.api_url, _context(config), clock)
    except (uaa.UaaError, OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    credentials = uaa.Credentials(config.client_id, config.client_secret)
    tokens = uaa.TokenFetcher(url, credentials, context, log.session("uaa-client"), clock, _PATIENCE)
    return TcpOutlet(api, tokens, max_ttl, log)


def _oauth_url(text: str) -> str:
    """Scheme, host and port of the UAA. Raises ValueError."""
    place = urlsplit(text)
    host, colon, port = place.netloc.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()):
        shown = port if colon else ""
        raise ValueError(f'RoutingAPI OAuth port ({shown}) not an integer: strconv.Atoi: parsing "{shown}": invalid syntax')
    if place.scheme not in {"http", "https"}:
        raise ValueError(f"RoutingAPI OAuth scheme ({place.scheme}) is neither http nor https")
    return f"{place.scheme}://{host}:{port}"


def _context(config: RoutingApiSchema) -> ssl.SSLContext | None:
    """For mutual TLS with an https API. Raises OSError for files that cannot be used."""
    if not config.api_url.startswith("https:"):
        return None
    return mutual_tls(config.server_ca_cert_path, config.client_cert_path, config.client_private_key_path)
