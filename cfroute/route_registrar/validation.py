"""What is right in a configuration, and upstream's words for what is not. Everything that is wrong is told at once."""

from typing import Final

from cfroute import durations
from cfroute.durations import DurationError
from cfroute.route_registrar.config import Config, NatsServer, Route
from cfroute.route_registrar.problems import Problems
from cfroute.route_registrar.route_validation import route
from cfroute.route_registrar.schema import ConfigSchema, RoutingApiSchema, ServerSchema

MAX_TTL: Final = 120.0
NATS_PORT: Final = 4222


def validate(schema: ConfigSchema) -> Config:
    """The configuration. Raises Problems."""
    problems = Problems("config")
    problems.when(schema.unregistration_message_limit <= 0, "unregistration_message_limit must be a positive integer")
    routes: list[Route] = []
    for index, written in enumerate(schema.routes):
        with problems.of_part():
            routes.append(route(written, index, schema.host, schema.cfroute.instance_index))
    has_http = any(not each.is_tcp for each in schema.routes)
    problems.when(has_http and not schema.message_bus_servers, "message_bus_servers must have at least one entry")
    if any(each.is_tcp for each in schema.routes):
        problems.when(missing := _missing(schema.routing_api), f"routing_api must have {missing}")
    problems.when(not _is_address(schema.cfroute.health_address), "cfroute.health_address is not HOST:PORT")
    problems.check()
    return Config(
        host=schema.host,
        availability_zone=schema.availability_zone,
        servers=[_server(each) for each in schema.message_bus_servers],
        nats_tls=schema.nats_mtls_config,
        routing_api=schema.routing_api if schema.routing_api.api_url else None,
        max_ttl=_max_ttl(schema.routing_api.max_ttl),
        unregistration_limit=schema.unregistration_message_limit,
        dynamic_globs=schema.dynamic_config_globs,
        routes=routes,
        extensions=schema.cfroute,
    )


def _missing(api: RoutingApiSchema) -> str:
    """The first that is missing of what routes at the Routing API need; "" if nothing is."""
    needed = [
        ("an api_url", api.api_url),
        ("an oauth_url", api.oauth_url),
        ("a client_id", api.client_id),
        ("a client_secret", api.client_secret),
    ]
    if api.api_url.startswith("https:"):
        needed += [
            ("a client_certificate_path", api.client_cert_path),
            ("a client_private_key_path", api.client_private_key_path),
            ("a server_ca_cert_path", api.server_ca_cert_path),
        ]
    return next((name for name, value in needed if not value), "")


def _max_ttl(text: str) -> float:
    """The longest time to live of a TCP route: one that makes no sense is the default."""
    try:
        seconds = durations.parse(text)
    except DurationError:
        return MAX_TTL
    return seconds if seconds > 0 else MAX_TTL


def _is_address(text: str) -> bool:
    """Whether it is HOST:PORT, or nothing."""
    host, _, port = text.rpartition(":")
    return not text or (bool(host) and port.isascii() and port.isdigit())


def _server(written: ServerSchema) -> NatsServer:
    host, colon, port = written.host.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return NatsServer(host.strip("[]"), int(port), written.user, written.password)
    return NatsServer(written.host.strip("[]"), NATS_PORT, written.user, written.password)
