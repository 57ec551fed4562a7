"""What is asked and checked before the router starts, in upstream's order."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from cfroute.clock import Clock
from cfroute.go.quoting import quote
from cfroute.http_client import Unreachable
from cfroute.lager import Lager
from cfroute.routing_api.api import RouterGroup
from cfroute.routing_api.client import RoutingApi, mutual_tls
from cfroute.routing_api.errors import ApiError
from cfroute.start_error import StartError
from cfroute.tcp_router import port_check
from cfroute.tcp_router.config import Config
from cfroute.tcp_router.flags import Flags
from cfroute.uaa.client import Credentials, NoTokens, Patience, TokenFetcher, Tokens, UaaClient, UaaError, tls_context, url_of

_TRIES: Final = 3
_NO_TLS: Final = -1
T = TypeVar("T")


class _CheckFailed(Exception):
    """The router groups could not be looked at."""


async def tokens(config: Config, flags: Flags, log: Lager, clock: Clock) -> Tokens:
    """Where tokens come from; the UAA has to be there. Raises StartError."""
    oauth = config.oauth
    if config.routing_api.auth_disabled:
        log.info("using-noop-token-fetcher")
        return NoTokens()
    if oauth.port == _NO_TLS:
        raise StartError("tls-not-enabled", "UAA client requires TLS enabled")
    url = url_of(oauth.token_endpoint, oauth.port)
    try:
        context = tls_context(oauth.ca_certs, skip=oauth.skip_ssl_validation)
        uaa = UaaClient(url, context)
        try:
            await uaa.token_key()
        finally:
            await uaa.aclose()
    except UaaError as error:
        raise StartError("failed-connecting-to-uaa", error, status=1) from error
    patience = Patience(
        flags.token_fetch_max_retries, flags.token_fetch_retry_interval, float(flags.token_fetch_expiration_buffer_time)
    )
    credentials = Credentials(oauth.client_name, oauth.client_secret)
    return TokenFetcher(url, credentials, context, log.session("uaa-client"), clock, patience)


def routing_api(config: Config, log: Lager, clock: Clock) -> RoutingApi:
    """The client of the Routing API. Raises StartError."""
    api = config.routing_api
    log.debug("creating-routing-api-client", **{"api-location": api.url})
    try:
        return RoutingApi(api.url, _context(config), clock)
    except OSError as error:  # SSLError is one
        raise StartError("failed-to-create-tls-config", error.strerror or error) from error


def _context(config: Config) -> ssl.SSLContext | None:
    """Upstream always loads the files; a plain Routing API needs none here."""
    api = config.routing_api
    files = api.ca_cert_path, api.client_cert_path, api.client_private_key_path
    return None if api.uri.startswith("http:") and not any(files) else mutual_tls(*files)


async def check_router_groups(config: Config, flags: Flags, api: RoutingApi, tokens: Tokens, log: Lager) -> None:
    """Whether router groups have ports of system components. Raises StartError if they have and the flags say that it matters."""
    try:
        groups = await _router_groups(api, tokens)
        conflicts = port_check.conflicts(groups, config.reserved_system_component_ports)
    except (_CheckFailed, ValueError) as error:
        log.error("router-group-port-checker-error:", error=str(error))
        return
    if not conflicts:
        log.info("router-group-port-checker-success: No conflicting router group ports.")
    elif flags.routing_group_check_exit:
        raise StartError("router-group-port-checker-failure: Exiting now. ", conflicts, status=1)
    else:
        warning = "WARNING! In the future this will cause tcp_router to not start."
        log.error(f"router-group-port-checker-failure: {warning}", error=conflicts)


async def _router_groups(api: RoutingApi, tokens: Tokens) -> list[RouterGroup]:
    try:
        token = await _patiently(tokens.fetch)
    except UaaError as error:
        raise _CheckFailed(f"error-fetching-uaa-token: {quote(str(error))}") from error
    try:
        return await _patiently(lambda: api.router_groups(token))
    except (ApiError, Unreachable) as error:
        raise _CheckFailed(f"error-fetching-routing-groups: {quote(str(error))}") from error


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask up to three times, without a pause."""
    for _ in range(_TRIES - 1):
        try:
            return await ask()
        except (UaaError, ApiError, Unreachable):
            continue
    return await ask()
