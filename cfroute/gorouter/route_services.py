"""Route services: the detour of a bound route's requests, and the signature that shows who comes back from it.

On the way out the URL of the request and the time are sealed into `X-CF-Proxy-Signature`; on the way back a request with a valid
seal goes to the app. Not checked, as upstream does not: that path, method and body are still the ones that were sealed.
"""

from collections.abc import Callable

from cfroute.clock import Clock
from cfroute.gorouter import route_service_url
from cfroute.gorouter.config import Config
from cfroute.gorouter.errors import ErrorWriter
from cfroute.gorouter.exchange import Panic, RouterExchange
from cfroute.gorouter.route_service_url import RouteServiceUrl
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.signature import (
    RouteServiceCrypto,
    Signature,
    SignatureError,
    SignatureExpired,
    parse_forwarded_url,
    validate_age,
)
from cfroute.logs import Logger
from cfroute.proxy.answer import Answer

FORWARDED_URL = b"X-Cf-Forwarded-Url"
SIGNATURE = b"X-Cf-Proxy-Signature"
METADATA = b"X-Cf-Proxy-Metadata"
HEADERS = (FORWARDED_URL, SIGNATURE, METADATA)

_REFUSED = "Failed to validate Route Service Signature: "


class RouteServices:
    """The route service decisions of one router."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        clock: Clock,
        log: Logger,
        errors: ErrorWriter,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.enabled = bool(config.route_services_secret)
        previous = config.route_services_secret_decrypt_only
        self._crypto = RouteServiceCrypto(config.route_services_secret, previous) if self.enabled else None
        self._timeout = config.route_services_timeout
        self._scheme = "https" if config.route_services_recommend_https else "http"
        port = config.cfroute.public_https_port if self._scheme == "https" else config.cfroute.public_http_port
        self._port = "" if port == {"https": 443, "http": 80}[self._scheme] else f":{port}"
        self._registry = registry
        self._clock = clock
        self._log = log
        self._errors = errors
        self._random_bytes = random_bytes
        self._internal = InternalLookup(config, registry) if config.route_services_hairpinning else None
        self._urls: dict[str, RouteServiceUrl] = {}

    # Requests that come back

    def check_arrival(self, exchange: RouterExchange) -> Answer | None:
        """Check the signature of a request to a bound route. Returns the refusal; notes a valid one in the exchange."""
        pool = exchange.pool
        headers = exchange.request.headers
        if pool is None or not pool.route_service_url or not headers.first(SIGNATURE):
            return None
        if not self.enabled and headers.first(METADATA):
            raise Panic("the request has been to a route service, but there is no secret to check that with")
        try:
            signed = self._open(exchange)
            self._match(exchange, pool, signed.forwarded_url)
        except SignatureExpired as expired:
            return self._errors.error_answer(exchange, 504, f"{_REFUSED}{expired}")
        except SignatureError as error:
            self._log.error("signature-validation-failed", error=str(error), **exchange.trace_fields)
            return self._errors.error_answer(exchange, 502, f"{_REFUSED}{error}")
        exchange.arrived_via_route_service = True
        return None

    def check_strictly(self, exchange: RouterExchange) -> Answer | None:
        """In strict mode a signature on an unbound route must be one of ours, too."""
        try:
            self._open(exchange)
        except SignatureExpired as expired:
            return self._errors.error_answer(exchange, 504, f"{_REFUSED}{expired}", error="expired_route_service_signature")
        except SignatureError:
            message = "invalid route service signature detected"
            return self._errors.error_answer(exchange, 400, message, error="invalid_route_service_signature")
        return None

    def is_valid_traffic(self, exchange: RouterExchange) -> bool:
        """Whether the request carries a fresh signature of ours, for any route: then its forwarding headers are trusted."""
        headers = exchange.request.headers
        if not headers.first(SIGNATURE) or not headers.first(FORWARDED_URL):
            return False
        if exchange.arrived_via_route_service:
            return True
        try:
            self._open(exchange)
        except SignatureError:
            return False
        return True

    def _open(self, exchange: RouterExchange) -> Signature:
        headers = exchange.request.headers
        metadata = headers.first(METADATA)
        if self._crypto is None:
            raise SignatureError("No metadata found")  # with metadata upstream does not get here, but panics
        signed = self._crypto.open(headers.first(SIGNATURE).decode("latin-1"), metadata.decode("latin-1") if metadata else None)
        validate_age(signed, self._clock.now_ns(), self._timeout)
        return signed

    def _match(self, exchange: RouterExchange, pool: Pool, forwarded_url: str) -> None:
        host, path = parse_forwarded_url(forwarded_url)
        signed_pool = self._registry.lookup(host.partition(":")[0], path)
        if signed_pool is None:
            raise SignatureError(f"original request URL {host}{path} does not exist in the routing table")
        if (signed_pool.host, signed_pool.context_path) != (pool.host, pool.context_path):
            raise SignatureError(
                f"route service forwarded URL {pool.host}{pool.context_path} does not match the original request URL {host}{path}"
            )

    # Requests that go out

    def send_on(self, exchange: RouterExchange, url: str) -> Answer | None:
        """Seal the request for its way to the route service at `url`."""
        service = self._urls.get(url) or self._parse(url)
        if service is None:
            self._log.error("route-service-failed", error=f"invalid route service url: {url}", **exchange.trace_fields)
            return self._errors.error_answer(exchange, 500, "Route service request failed.")
        request = exchange.request
        host = request.host.decode("utf-8", "surrogateescape").partition(":")[0]
        forwarded = f"{self._scheme}://{host}{self._port}{request.target.decode('utf-8', 'surrogateescape')}"
        assert self._crypto is not None, "only called where route services are enabled"
        signature, metadata = self._crypto.seal(forwarded, self._clock.now_ns(), self._random_bytes(12))
        request.headers[FORWARDED_URL] = (forwarded.encode("utf-8", "surrogateescape"),)
        request.headers[SIGNATURE] = (signature.encode(),)
        request.headers[METADATA] = (metadata.encode(),)
        if self._internal is not None and self._internal.covers(service):
            service = service._replace(internal=True)
        exchange.route_service = service
        return None

    def _parse(self, url: str) -> RouteServiceUrl | None:
        service = route_service_url.parse(url)
        if service is not None and len(self._urls) < 1024:
            self._urls[url] = service
        return service


class InternalLookup:
    """Which route services are reached through this very router, without leaving it ("hairpinning")."""

    def __init__(self, config: Config, registry: Registry) -> None:
        self._registry = registry
        self._allowed = [entry.lower() for entry in config.route_services_hairpinning_allowlist]

    def covers(self, service: RouteServiceUrl) -> bool:
        """Whether the route service is a route of this router, and one that may be reached internally."""
        pool = self._registry.lookup(service.hostname, service.target.partition(b"?")[0].decode())
        return pool is not None and self._is_allowed(pool.host)

    def _is_allowed(self, host: str) -> bool:
        """An entry is a host, or `*.suffix` for exactly one more label."""
        host = host.lower()
        wildcard = "*." + host.partition(".")[2]
        return not self._allowed or host in self._allowed or wildcard in self._allowed
