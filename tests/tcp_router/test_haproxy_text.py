"""The table as HAProxy's configuration, and what is left out of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.routing_api.api import TcpRoute
from cfroute.tcp_router import haproxy_text
from cfroute.tcp_router.config import BackendTls
from cfroute.tcp_router.frontends import Frontend, frontend
from cfroute.tcp_router.table import RoutingTable

from .examples import Lines, route

PLAIN = BackendTls()
TLS = BackendTls(enabled=True, ca_cert_path="/ca.pem")


def frontends(routes: Sequence[TcpRoute], lines: Lines, *, tls: bool = False) -> list[Frontend]:
    table = RoutingTable()
    for now, each in enumerate(routes):
        table.upsert(each, now)
    made = [frontend(port, table.at(port), lines.log, tls=tls) for port in table]
    return [each for each in made if each is not None]


def text(*routes: TcpRoute, tls: BackendTls = PLAIN, base: bytes = b"", lines: Lines | None = None) -> str:
    return haproxy_text.render(base, frontends(routes, lines or Lines(), tls=tls.enabled), tls).decode()


def servers(*routes: TcpRoute, tls: BackendTls = PLAIN, lines: Lines | None = None) -> list[str]:
    return [line.strip() for line in text(*routes, tls=tls, lines=lines).splitlines() if line.startswith("  server ")]


@pytest.mark.statement(
    "TCP router 9", "the file is the base configuration, then each port with its backends, in exactly this layout"
)
def test_the_whole() -> None:
    routes = [route(5001, "1.2.3.6", 60002, sni="sni.example.com"), route(5001, "1.2.3.7", 60003)]
    expected = """\
global
  maxconn 4096

frontend frontend_5001
  mode tcp
  bind :5001
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type gt 0 }
  default_backend backend_5001
  use_backend backend_5001_sni.example.com if { req.ssl_sni sni.example.com }

backend backend_5001
  mode tcp
  server server_1.2.3.7_60003 1.2.3.7:60003

backend backend_5001_sni.example.com
  mode tcp
  server server_1.2.3.6_60002 1.2.3.6:60002
"""
    assert text(*routes, base=b"global\n  maxconn 4096\n") == expected


@pytest.mark.statement("TCP router 9", "ports ascend; a port without server names does not wait for a hello")
def test_ports() -> None:
    written = text(route(5222, "some-ip-1", 61000), route(5100))
    assert written.index("frontend_5100") < written.index("frontend_5222")
    assert "\nfrontend frontend_5222\n  mode tcp\n  bind :5222\n  default_backend backend_5222\n" in written
    assert "server server_some-ip-1_61000 some-ip-1:61000\n" in written


@pytest.mark.statement("TCP router 9", "server names are sorted; a port may have no route without one")
def test_names() -> None:
    written = text(route(sni="b.test"), route(sni="a.test"))
    assert "default_backend" not in written
    assert written.index("use_backend backend_5001_a.test") < written.index("use_backend backend_5001_b.test")


@pytest.mark.statement("TCP router 9", "servers are sorted by address, then port")
def test_order_of_servers() -> None:
    found = servers(route(host="b", host_port=1), route(host="a", host_port=20), route(host="a", host_port=3))
    assert found == ["server server_a_3 a:3", "server server_a_20 a:20", "server server_b_1 b:1"]


@pytest.mark.statement(
    "TCP router 9", "with backend_tls, a TLS port is spoken to by TLS, and the certificate has to bear the instance's id"
)
def test_tls_servers() -> None:
    tls_route = route(tls_port=61443, instance_id="guid-0")
    line = "server server_10.0.0.1_61443 10.0.0.1:61443 ssl verify required verifyhost guid-0 ca-file /ca.pem"
    assert servers(tls_route, tls=TLS) == [line]
    mutual = BackendTls(enabled=True, ca_cert_path="/ca.pem", client_cert_and_key_path="/client.pem")
    assert servers(tls_route, tls=mutual) == [f"{line} crt /client.pem"]


@pytest.mark.statement("TCP router 9", "without backend_tls, a backend with a TLS port is left out; its stanza may then be empty")
def test_tls_that_is_not_enabled() -> None:
    lines = Lines()
    written = text(route(tls_port=61443, instance_id="i"), lines=lines)
    assert written.endswith("\nbackend backend_5001\n  mode tcp\n")
    assert lines.messages == ["backend-tls-not-enabled"]


@pytest.mark.statement(
    "TCP router 9", "with backend_tls, a backend that does not say whether it has TLS is spoken to plainly, and logged"
)
@pytest.mark.parametrize(("tls_port", "logged"), [(0, ["route-missing-tls-information"]), (-1, [])])
def test_missing_tls_information(tls_port: int, logged: list[str]) -> None:
    lines = Lines()
    assert servers(route(tls_port=tls_port), tls=TLS, lines=lines) == ["server server_10.0.0.1_61000 10.0.0.1:61000"]
    assert lines.messages == logged


@pytest.mark.statement("TCP router 9", "what cannot be used is left out, and logged with the field that is wrong")
@pytest.mark.parametrize(
    ("bad", "place", "field", "value"),
    [
        (route(0), '0/sni_hostname: ""', "frontend_configuration.port", "0"),
        (route(sni="*.test"), '5001/sni_hostname: "*.test"', "frontend_configuration.sni_hostname", "*.test"),
        (route(host_port=0), '5001/sni_hostname: ""', "backend_configuration.port", "0"),
        (route(host=""), '5001/sni_hostname: ""', "backend_configuration.address", ""),
        (route(host="::1"), '5001/sni_hostname: ""', "backend_configuration.address", "::1"),
        (route(host="a b"), '5001/sni_hostname: ""', "backend_configuration.address", "a b"),
        (route(tls_port=1), '5001/sni_hostname: ""', "backend_configuration.instance_id", "unset"),
    ],
)
def test_what_cannot_be_used(bad: TcpRoute, place: str, field: str, value: str) -> None:
    lines = Lines()
    assert text(bad, lines=lines) == ""
    first, *rest = lines.errors("skipping-invalid-routing-table-entry")
    assert first == f"Skipping invalid routing table entry for port: {place}. Field: {field}. Value: {value}."
    if field.startswith("backend"):
        assert rest == [
            f"Skipping invalid routing table entry for port: {place}. Field: backend_configuration.servers. Value: []."
        ]


@pytest.mark.statement("TCP router 9", "one backend that cannot be used does not keep the others from being used")
def test_the_others() -> None:
    assert servers(route(host="::1"), route(host="10.0.0.2")) == ["server server_10.0.0.2_61000 10.0.0.2:61000"]


def test_the_latest_instance_has_the_address() -> None:
    first, second = route(tls_port=61443, instance_id="z"), route(tls_port=61443, instance_id="a")
    (line,) = servers(first, second, tls=TLS)
    assert " verifyhost a " in line
    (line,) = servers(second, first, tls=TLS)
    assert " verifyhost z " in line


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_nothing_but_names_gets_into_the_file(host: str, name: str, instance: str) -> None:
    written = text(route(host=host, sni=name, tls_port=1, instance_id=instance), tls=TLS)
    assert len(written.splitlines()) in (0, 9, 11)  # with a server name there are two more
