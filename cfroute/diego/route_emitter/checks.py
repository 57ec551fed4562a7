"""What has to be right before the emitter starts, and upstream's words for what is not."""

import contextlib
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from cfroute.clock import Clock
from cfroute.diego.client import BBSClient
from cfroute.diego.route_emitter.config import Config
from cfroute.errors import ConfigurationError
from cfroute.lager import Lager
from cfroute.routing_api.client import RoutingApi, mutual_tls
from cfroute.start_error import StartError
from cfroute.uaa import client as uaa

LONGEST_TTL = 65535.0  # s


def bbs_client(config: Config) -> BBSClient:
    """A client of the BBS. Raises StartError."""
    files = (config.bbs_ca_cert_file, config.bbs_client_cert_file, config.bbs_client_key_file)
    try:
        return BBSClient(config.bbs_address, *files, timeout=config.seconds("communication_timeout"))
    except ConfigurationError as error:
        raise StartError("failed-to-configure-secure-BBS-client", error.message) from error


def tcp_ttl(config: Config) -> int:
    """How long a TCP route is good for, in seconds. Raises StartError."""
    ttl = config.seconds("tcp_route_ttl")
    if ttl > LONGEST_TTL:
        raise StartError("invalid-route-ttl", "route TTL value has to be less than 65535")
    return int(ttl)


def routing_api(config: Config, clock: Clock) -> RoutingApi:
    """A client of the Routing API, with a certificate where there is one. Raises StartError."""
    api = config.routing_api
    try:
        return RoutingApi(api.address, _context(config), clock)
    except OSError as error:
        raise StartError("failed-to-create-routing-api-client", error) from error


def _context(config: Config) -> ssl.SSLContext | None:
    """For TLS with the Routing API: with a certificate, or just by the system's authorities. Raises OSError."""
    api = config.routing_api
    if api.ca_cert_file and api.client_cert_file and api.client_key_file:
        return mutual_tls(api.ca_cert_file, api.client_cert_file, api.client_key_file)
    return ssl.create_default_context() if api.url.startswith("https:") else None


async def tokens(config: Config, clock: Clock, log: Lager) -> uaa.Tokens:
    """Tokens for the Routing API, of a UAA that has answered once. Raises StartError."""
    if not config.routing_api.auth_enabled:
        log.info("using-noop-token-fetcher")
        return uaa.NoTokens()
    oauth = config.oauth
    url = _uaa_url(oauth.uaa_url)
    with _fatal("failed-fetching-uaa-key"):
        context = uaa.tls_context(oauth.ca_certs, skip=oauth.skip_cert_verify)
        client = uaa.UaaClient(url, context, timeout=oauth.timeout)
        try:
            await client.token_key()
        finally:
            await client.aclose()
    credentials = uaa.Credentials(oauth.client_name, oauth.client_secret)
    return uaa.TokenFetcher(url, credentials, context, log.session("uaa-token-fetcher"), clock, timeout=oauth.timeout)


def _uaa_url(text: str) -> str:
    """The URL of the UAA, which has to say its port. Raises StartError."""
    try:
        place = urlsplit(text)
    except ValueError as error:
        raise StartError("failed-parsing-uaa-url", error) from error
    host, colon, port = place.netloc.rpartition(":")
    if not colon:
        raise StartError("failed-parsing-uaa-host", f"address {place.netloc}: missing port in address")
    if not port.isascii() or not port.isdigit():
        raise StartError("failed-parsing-uaa-port", f'strconv.Atoi: parsing "{port}": invalid syntax')
    return uaa.url_of(host, int(port))


@contextlib.contextmanager
def _fatal(message: str) -> Iterator[None]:
    try:
        yield
    except uaa.UaaError as error:
        raise StartError(message, error) from error
