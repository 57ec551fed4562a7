"""What is told: bytes for NATS, mappings for the Routing API."""

import json

import pytest

from cfroute.route_registrar.mappings import mapping, ttl
from cfroute.route_registrar.messages import encode

from .examples import http_route, tcp_route


@pytest.mark.statement("route registrar 4", "A message has upstream's keys in their order")
def test_a_whole_message() -> None:
    route = http_route(
        uris=["b.com", "*.b.com"],
        protocol="http2",
        port=3002,
        tls_port=3001,
        tags={"x": "y"},
        route_service_url="https://rs",
        server_cert_domain_san="san",
        options={"lb_algo": "least-connection"},
    )
    assert encode(route, "id", "z1") == (
        b'{"uris":["b.com","*.b.com"],"host":"10.0.0.1","protocol":"http2","port":3002,"tls_port":3001,"tags":{"x":"y"},'
        b'"route_service_url":"https://rs","private_instance_id":"id","server_cert_domain_san":"san","availability_zone":"z1",'
        b'"options":{"lb_algo":"least-connection"}}'
    )


@pytest.mark.statement("route registrar 4", "What is empty is left out, but for URIs, host, tags and the instance's id")
def test_a_short_message() -> None:
    assert encode(http_route(), "id", "") == (
        b'{"uris":["a.test"],"host":"10.0.0.1","port":8080,"tags":null,"private_instance_id":"id"}'
    )
    assert json.loads(encode(http_route(port=None, tls_port=1, options={}), "", "")) == {
        "uris": ["a.test"],
        "host": "10.0.0.1",
        "tls_port": 1,
        "tags": None,
        "private_instance_id": "",
    }


@pytest.mark.statement("route registrar 10", "A message has the algorithm under the key that the configuration has it under")
def test_the_newer_spelling() -> None:
    message = json.loads(encode(http_route(options={"loadbalancing": "round-robin"}), "id", ""))
    assert message["options"] == {"loadbalancing": "round-robin"}


@pytest.mark.statement("route registrar 7", "A mapping leads from the external port to the plain port, and never to a TLS port")
def test_a_mapping() -> None:
    made = mapping(tcp_route(tls_port=99), "G", 120)
    assert (made.router_group_guid, made.backend_ip, made.backend_port, made.backend_tls_port) == ("G", "10.0.0.2", 1234, -1)
    assert (made.port, made.ttl, made.backend_sni_hostname) == (5678, 42, None)
    assert mapping(tcp_route(server_cert_domain_san="s"), "G", 120).backend_sni_hostname == "s"


@pytest.mark.statement("route registrar 7", "A mapping lives for 2.1 intervals, at least a second and at most `max_ttl`")
@pytest.mark.parametrize(
    ("interval", "most", "seconds"), [(20, 120, 42), (0.1, 120, 1), (100, 120, 120), (10, 5.5, 5), (1, 0.5, 1)]
)
def test_how_long_a_mapping_lives(interval: float, most: float, seconds: int) -> None:
    assert ttl(interval, most) == seconds
