"""What is right in a route, and upstream's words for what is not."""

from typing import Final

from cfroute import durations
from cfroute.durations import DurationError
from cfroute.go.url import URLError, check_reference
from cfroute.route_registrar.config import HealthCheck, HttpRoute, Route, TcpRoute
from cfroute.route_registrar.problems import Problems
from cfroute.route_registrar.schema import HealthCheckSchema, OptionsSchema, RouteSchema

_LARGEST_PORT: Final = 65535
_PROTOCOLS: Final = ("", "http1", "http2")
_ALGORITHMS: Final = ("round-robin", "least-connection")


def route(written: RouteSchema, index: int, host: str, instance_index: int) -> Route:
    """One route: `index` is its place in the file, `host` the default. Raises Problems."""
    problems = Problems(f'route "{written.name}"' if written.name else f"route {index}")
    interval = _interval(problems, written.registration_interval)
    health_check = None
    if written.health_check is not None:
        with problems.of_part():
            health_check = _health_check(written.health_check, interval)
    problems.when(not written.host and not host, "no host")
    make = _tcp_route if written.is_tcp else _http_route
    return make(written, written.host or host, interval, health_check, instance_index, problems)


def _http_route(
    written: RouteSchema, host: str, interval: float, health_check: HealthCheck | None, instance_index: int, problems: Problems
) -> Route:
    uris = written.uris or []
    problems.when(not written.name, "no name")
    problems.when(all(port is None for port in (written.port, written.tls_port, written.sni_port)), "no port")
    _check_port(problems, "port", written.port)
    _check_port(problems, "tls_port", written.tls_port)
    problems.when(not uris, "no URIs")
    problems.when(not all(uris), "empty URIs")
    problems.when(written.protocol not in _PROTOCOLS, f"unknown protocol: {written.protocol}")
    _check_options(problems, written.options)
    try:
        check_reference(written.route_service_url)
    except URLError as error:
        problems.add(str(error))
    problems.check()
    return HttpRoute(
        name=written.name,
        host=host,
        port=written.port or 0,
        tls_port=written.tls_port or 0,
        uris=[f"{instance_index}-{uri}" for uri in uris] if written.prepend_instance_index else uris,
        protocol=written.protocol,
        tags=written.tags,
        route_service_url=written.route_service_url,
        server_cert_domain_san=written.server_cert_domain_san,
        options=written.options,
        registration_interval=interval,
        health_check=health_check,
    )


def _tcp_route(
    written: RouteSchema, host: str, interval: float, health_check: HealthCheck | None, _instance_index: int, problems: Problems
) -> Route:
    is_sni = written.type == "sni"
    port = written.sni_port if is_sni else written.port
    problems.when(port is None, "no port")
    _check_port(problems, "port", port)
    problems.when(not written.router_group, "missing router_group")
    problems.when(written.external_port is None, "no external_port")
    _check_port(problems, "port", written.external_port)
    problems.check()
    return TcpRoute(
        name=written.name,
        host=host,
        port=port or 0,
        external_port=written.external_port or 0,
        router_group=written.router_group,
        sni_hostname=written.sni_routable_san if is_sni else written.server_cert_domain_san,
        registration_interval=interval,
        health_check=health_check,
    )


def _check_port(problems: Problems, name: str, port: int | None) -> None:
    problems.when(port is not None and not 0 < port <= _LARGEST_PORT, f"invalid {name}: {port}")


def _check_options(problems: Problems, options: OptionsSchema | None) -> None:
    for algorithm in (options.lb_algo, options.loadbalancing) if options else ():
        wrong = algorithm and algorithm not in _ALGORITHMS
        allowed = " ".join(_ALGORITHMS)
        problems.when(wrong, f"unknown load balancing algorithm: {algorithm}. Allowed values: [{allowed}]")


def _interval(problems: Problems, text: str) -> float:
    """The seconds of a registration interval; 0 for one that is none."""
    if not text:
        problems.add("no registration_interval")
        return 0
    try:
        seconds = durations.parse(text)
    except DurationError as error:
        problems.add(f"invalid registration_interval: {error}")
        return 0
    problems.when(seconds <= 0, "invalid registration_interval: interval must be greater than 0")
    return max(seconds, 0)


def _health_check(written: HealthCheckSchema, interval: float) -> HealthCheck:
    """The health check of a route with that interval (0: unknown). Raises Problems."""
    problems = Problems("healthcheck")
    problems.when(not written.name, "no name")
    problems.when(not written.script_path, "no script_path")
    timeout = interval / 2
    if written.timeout:
        try:
            timeout = durations.parse(written.timeout)
        except DurationError as error:
            problems.add(f"invalid healthcheck timeout: {error}")
        else:
            _check_timeout(problems, timeout, interval)
    problems.check()
    return HealthCheck(written.name, written.script_path, timeout)


def _check_timeout(problems: Problems, timeout: float, interval: float) -> None:
    shown = f"invalid healthcheck timeout: {durations.format(timeout)}"
    if timeout <= 0:
        problems.add(shown)
    elif 0 < interval <= timeout:
        problems.add(f"{shown} must be less than the registration interval: {durations.format(interval)}")
