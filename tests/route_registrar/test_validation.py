"""Configurations: what they come to, and what is said of those that make no sense."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute import durations
from cfroute.route_registrar.config import HealthCheck, HttpRoute, NatsServer, TcpRoute
from cfroute.route_registrar.problems import Problems
from cfroute.route_registrar.route_validation import route
from cfroute.route_registrar.schema import HealthCheckSchema, OptionsSchema, RouteSchema
from cfroute.route_registrar.validation import validate

from .examples import API, HTTP, NATS, TCP, config, http_route, tcp_route, written

HTTPS = API | {"api_url": "https://127.0.0.1:3001"}
IDENTITY = {"client_cert_path": "c", "client_private_key_path": "k", "server_ca_cert_path": "s"}


def without(example: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in example.items() if key not in keys}


def problems(*routes: dict[str, Any], **more: Any) -> list[str]:
    """The sentences, without the titles above them."""
    with pytest.raises(Problems) as caught:
        validate(written(*routes, **more))
    return [line.strip().removeprefix("* ") for line in str(caught.value).splitlines() if "* " in line]


@pytest.mark.statement("route registrar 2", "Defaults: the configuration's host, half the interval, five unregistrations, 120 s")
def test_defaults() -> None:
    check = {"name": "h", "script_path": "/bin/true"}
    made = config(without(HTTP, "host") | {"health_check": check}, host="10.9.9.9")
    assert made.routes == [
        HttpRoute(
            name="web",
            host="10.9.9.9",
            port=8080,
            tls_port=0,
            uris=["a.test"],
            protocol="",
            tags=None,
            route_service_url="",
            server_cert_domain_san="",
            options=None,
            registration_interval=20.0,
            health_check=HealthCheck("h", "/bin/true", 10.0),
        )
    ]
    assert (made.unregistration_limit, made.max_ttl, made.availability_zone) == (5, 120.0, "")
    assert made.servers == [NatsServer("127.0.0.1", 4222, "nats", "pw")]


@pytest.mark.statement("route registrar 2", "A TCP route has port, external port and router group; SNI routes become TCP routes")
def test_tcp_routes() -> None:
    plain = tcp_route(server_cert_domain_san="san")
    assert isinstance(plain, TcpRoute)
    assert (plain.port, plain.external_port, plain.router_group, plain.sni_hostname) == (1234, 5678, "default-tcp", "san")
    sni = tcp_route(type="sni", port=None, sni_port=99, sni_routable_san="x.test", server_cert_domain_san="san")
    assert (sni.port, sni.sni_hostname) == (99, "x.test")


@pytest.mark.parametrize("kind", ["", "http", "nonsense"])
def test_every_other_type_is_http(kind: str) -> None:
    assert http_route(type=kind).uris == ["a.test"]


@pytest.mark.statement("route registrar 2", "`prepend_instance_index` puts the instance's index before each URI")
def test_instance_index() -> None:
    made = config(HTTP | {"uris": ["a.test", "b.test/x"], "prepend_instance_index": True}, cfroute={"instance_index": 3})
    [only] = made.routes
    assert isinstance(only, HttpRoute)
    assert only.uris == ["3-a.test", "3-b.test/x"]


ROUTE_CASES: list[tuple[dict[str, Any], list[str]]] = [
    (without(HTTP, "name"), ["no name"]),
    (without(HTTP, "host"), ["no host"]),
    (without(HTTP, "port"), ["no port"]),
    (HTTP | {"port": 0}, ["invalid port: 0"]),
    (HTTP | {"port": -1}, ["invalid port: -1"]),
    (HTTP | {"port": 65536}, ["invalid port: 65536"]),
    (HTTP | {"tls_port": 0}, ["invalid tls_port: 0"]),
    (without(HTTP, "uris"), ["no URIs"]),
    (HTTP | {"uris": []}, ["no URIs"]),
    (HTTP | {"uris": ["a", ""]}, ["empty URIs"]),
    (HTTP | {"protocol": "h2"}, ["unknown protocol: h2"]),
    (HTTP | {"route_service_url": "https://a b"}, ['parse "https://a b": invalid character " " in host name']),
    (HTTP | {"route_service_url": "::"}, ['parse "::": missing protocol scheme']),
    (HTTP | {"route_service_url": "https://a/?\x01"}, ['parse "https://a/?\\x01": net/url: invalid control character in URL']),
    (HTTP | {"route_service_url": "https://a/#%zz"}, ['parse "https://a/#%zz": invalid URL escape "%zz"']),
    (
        HTTP | {"options": {"lb_algo": "zz"}},
        ["unknown load balancing algorithm: zz. Allowed values: [round-robin least-connection]"],
    ),
    (without(HTTP, "registration_interval"), ["no registration_interval"]),
    (
        HTTP | {"registration_interval": "asdf"},
        ['invalid registration_interval: time: invalid duration "asdf"'],
    ),
    (HTTP | {"registration_interval": "0s"}, ["invalid registration_interval: interval must be greater than 0"]),
    (HTTP | {"registration_interval": "-1s"}, ["invalid registration_interval: interval must be greater than 0"]),
    (HTTP | {"health_check": {}}, ["no name", "no script_path"]),
    (
        HTTP | {"health_check": {"name": "h", "script_path": "s", "timeout": "x"}},
        ['invalid healthcheck timeout: time: invalid duration "x"'],
    ),
    (HTTP | {"health_check": {"name": "h", "script_path": "s", "timeout": "0s"}}, ["invalid healthcheck timeout: 0s"]),
    (
        HTTP | {"registration_interval": "1s", "health_check": {"name": "h", "script_path": "s", "timeout": "2s"}},
        ["invalid healthcheck timeout: 2s must be less than the registration interval: 1s"],
    ),
    (without(TCP, "router_group"), ["missing router_group"]),
    (TCP | {"external_port": 0}, ["invalid port: 0"]),
    (without(TCP, "external_port"), ["no external_port"]),
    (without(TCP, "port"), ["no port"]),
    (TCP | {"type": "sni"}, ["no port"]),
]


@pytest.mark.statement("route registrar 2", "What is wrong with a route is told in upstream's words")
@pytest.mark.parametrize(("wrong", "told"), ROUTE_CASES, ids=[f"{n}-{told[0][:30]}" for n, (_, told) in enumerate(ROUTE_CASES)])
def test_what_is_wrong_with_a_route(wrong: dict[str, Any], told: list[str]) -> None:
    assert problems(wrong) == told


@pytest.mark.parametrize("url", ["", "https://a.test", "https://a.test/x?y#z", "/x", "a b", "mailto:x"])
def test_route_service_urls_only_have_to_be_urls(url: str) -> None:
    assert http_route(route_service_url=url).route_service_url == url


@pytest.mark.statement("route registrar 10", "Both spellings of the load balancing algorithm are taken")
@pytest.mark.parametrize("key", ["lb_algo", "loadbalancing"])
def test_both_spellings_of_the_algorithm(key: str) -> None:
    options = http_route(options={key: "least-connection"}).options
    assert options == OptionsSchema(**{key: "least-connection"})
    assert problems(HTTP | {"options": {key: "hash"}}) == [
        "unknown load balancing algorithm: hash. Allowed values: [round-robin least-connection]"
    ]


@pytest.mark.statement("route registrar 2", "Routes are called by name, or by their place where they have none")
def test_titles() -> None:
    with pytest.raises(Problems) as caught:
        validate(written(without(HTTP, "port"), without(HTTP, "port", "name")))
    text = str(caught.value)
    assert text.startswith("there were 2 errors with 'config':\n    there was 1 error with 'route \"web\"':\n        * no port\n")
    assert "    there were 2 errors with 'route 1':\n" in text


CONFIG_CASES: list[tuple[list[dict[str, Any]], dict[str, Any], list[str]]] = [
    ([HTTP], {"unregistration_message_limit": 0}, ["unregistration_message_limit must be a positive integer"]),
    ([HTTP], {"message_bus_servers": []}, ["message_bus_servers must have at least one entry"]),
    ([TCP], {"routing_api": {}}, ["routing_api must have an api_url"]),
    ([TCP], {"routing_api": without(API, "oauth_url", "client_id")}, ["routing_api must have an oauth_url"]),
    ([TCP], {"routing_api": without(API, "client_id")}, ["routing_api must have a client_id"]),
    ([TCP], {"routing_api": without(API, "client_secret")}, ["routing_api must have a client_secret"]),
    ([TCP], {"routing_api": HTTPS}, ["routing_api must have a client_certificate_path"]),
    (
        [TCP],
        {"routing_api": HTTPS | without(IDENTITY, "client_private_key_path")},
        ["routing_api must have a client_private_key_path"],
    ),
    ([TCP], {"routing_api": HTTPS | without(IDENTITY, "server_ca_cert_path")}, ["routing_api must have a server_ca_cert_path"]),
    ([HTTP], {"cfroute": {"health_address": "nowhere"}}, ["cfroute.health_address is not HOST:PORT"]),
]


@pytest.mark.statement("route registrar 2", "What is wrong with the whole configuration is told in upstream's words")
@pytest.mark.parametrize(("routes", "more", "told"), CONFIG_CASES, ids=[told[0] for _, _, told in CONFIG_CASES])
def test_what_is_wrong_with_the_configuration(routes: list[dict[str, Any]], more: dict[str, Any], told: list[str]) -> None:
    assert problems(*routes, **more) == told


@pytest.mark.statement("route registrar 2", "Only HTTP routes need NATS, and only TCP routes a Routing API")
def test_what_is_needed_depends_on_the_routes() -> None:
    assert config(TCP, message_bus_servers=[], routing_api=HTTPS | IDENTITY).servers == []
    assert config(HTTP, routing_api={}).routing_api is None
    assert config(routing_api={}, message_bus_servers=[]).routes == []


@pytest.mark.parametrize(("text", "seconds"), [("", 120), ("90s", 90), ("0s", 120), ("-3s", 120), ("soon", 120)])
def test_a_max_ttl_that_makes_no_sense_is_the_default(text: str, seconds: float) -> None:
    assert config(routing_api=API | {"max_ttl": text}).max_ttl == seconds


@pytest.mark.parametrize(
    ("host", "place"),
    [("nats.test:4333", ("nats.test", 4333)), ("10.0.0.1", ("10.0.0.1", 4222)), ("[::1]:4222", ("::1", 4222))],
)
def test_nats_servers(host: str, place: tuple[str, int]) -> None:
    assert config(HTTP, message_bus_servers=[NATS | {"host": host}]).servers == [NatsServer(*place, "nats", "pw")]


TEXTS = st.one_of(st.just(""), st.sampled_from(["a", "20s", "1s", "500ms", "x", "http2", "::", "https://a"]), st.text(max_size=5))
PORTS = st.none() | st.integers(-2, 70_000)
CHECKS = st.none() | st.builds(HealthCheckSchema, name=TEXTS, script_path=TEXTS, timeout=TEXTS)
ROUTES = st.builds(
    RouteSchema,
    type=st.sampled_from(["", "tcp", "sni", "http"]),
    name=TEXTS,
    host=TEXTS,
    port=PORTS,
    tls_port=PORTS,
    sni_port=PORTS,
    protocol=TEXTS,
    uris=st.none() | st.lists(TEXTS, max_size=3),
    router_group=TEXTS,
    external_port=PORTS,
    route_service_url=TEXTS,
    registration_interval=TEXTS,
    health_check=CHECKS,
)


@given(ROUTES)
def test_a_route_is_right_or_what_is_wrong_is_told(schema: RouteSchema) -> None:
    try:
        made = route(schema, 0, "", 0)
    except Problems:
        return
    assert made.host
    assert made.registration_interval == durations.parse(schema.registration_interval) > 0
    assert made.health_check is None or 0 < made.health_check.timeout < made.registration_interval
    assert 0 < (made.external_port if isinstance(made, TcpRoute) else made.port or made.tls_port or 1) <= 65535
    assert isinstance(made, TcpRoute) == (schema.type in ("tcp", "sni"))
    assert msgspec.json.encode(made)  # for the log
