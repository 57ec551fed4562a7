"""What bodies say, and what Go complains of where they say nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.routing_api import bodies
from cfroute.routing_api.errors import ApiError

from .examples import http, tcp


def test_routes() -> None:
    sent = {"route": "a.test", "port": 80, "ip": "10.0.0.1", "log_guid": "app", "modification_tag": {"guid": "x", "index": 3}}
    assert bodies.routes(json.dumps([sent, sent | {"ttl": 60, "unknown": [1]}]).encode(), 120) == [http(ttl=120), http()]


def test_tcp_routes() -> None:
    sent = {"router_group_guid": "group", "port": 1024, "backend_ip": "10.0.0.1", "backend_port": 60000, "ttl": 60}
    more = {"backend_tls_port": -1, "backend_sni_hostname": "", "instance_id": "i", "isolation_segment": "s"}
    read = bodies.tcp_routes(json.dumps([sent, sent | more]).encode(), 120)
    assert read == [tcp(), tcp(**more)]
    assert read[0].key != read[1].key


@pytest.mark.parametrize("body", [b"[]", b"null", b" [] trailing", b"[][]"])
def test_nothing(body: bytes) -> None:
    assert bodies.routes(body, 120) == bodies.tcp_routes(body, 120) == []


@pytest.mark.statement(
    "Routing API 5.1", "names in any case, `null` for the default, unknown fields, and text behind the value are let pass"
)
def test_what_go_lets_pass() -> None:
    body = b'[{"Route":"a.test","PORT":80,"ip":"10.0.0.1","ttl":60,"log_guid":"app","route_service_url":null}] {"more'
    assert bodies.routes(body, 120) == [http()]
    assert bodies.routes(b"[null]", 120) == [http(route="", port=0, ip="", log_guid="", ttl=120)]


@pytest.mark.statement("Routing API 5.1", "bodies that cannot be read are 400 `ProcessRequestError` in the words of Go's decoder")
@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "EOF"),
        ("  ", "EOF"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("[", "unexpected EOF"),
        ('[{"route":"a', "unexpected EOF"),
        ("[{]", "invalid character ']' looking for beginning of object key string"),
        ('[{"a" 1}]', "invalid character '1' after object key"),
        ("[1 2]", "invalid character '2' after array element"),
        ('[{"a":"}" 2}]', "invalid character '2' after object key:value pair"),
        ("[tru]", "invalid character ']' in literal true (expecting 'e')"),
        ("[NaN]", "invalid character 'N' looking for beginning of value"),
        ('["\\x"]', "invalid character 'x' in string escape code"),
        ('["a\nb"]', "invalid character '\\n' in string literal"),
        ("{}", "json: cannot unmarshal object into Go value of type []models.Route"),
        ('"x"', "json: cannot unmarshal string into Go value of type []models.Route"),
        ("[1]", "json: cannot unmarshal number into Go value of type models.Route"),
        ('[{"port":70000}]', "json: cannot unmarshal number 70000 into Go struct field Route.port of type uint16"),
        ('[{"port":-1}]', "json: cannot unmarshal number -1 into Go struct field Route.port of type uint16"),
        ('[{"port":1.5}]', "json: cannot unmarshal number 1.5 into Go struct field Route.port of type uint16"),
        ('[{"port":"80"}]', "json: cannot unmarshal string into Go struct field Route.port of type uint16"),
        ('[{"ip":true}]', "json: cannot unmarshal bool into Go struct field Route.ip of type string"),
        ('[{"ttl":[]}]', "json: cannot unmarshal array into Go struct field Route.ttl of type int"),
    ],
)
def test_what_cannot_be_read(body: str, error: str) -> None:
    with pytest.raises(ApiError) as refused:
        bodies.routes(body.encode(), 120)
    assert refused.value.message == f"Cannot process request: {error}"
    assert (refused.value.status, refused.value.name) == (400, "ProcessRequestError")


def test_other_types_have_other_names() -> None:
    with pytest.raises(ApiError, match=r"Go value of type \[\]models.TcpRouteMapping$"):
        bodies.tcp_routes(b"{}", 120)
    with pytest.raises(ApiError, match=r"Go value of type models.RouterGroup$"):
        bodies.router_group(b"[]")
    with pytest.raises(ApiError, match=r"field TcpRouteMapping.terminate_frontend_tls of type bool$"):
        bodies.tcp_routes(b'[{"terminate_frontend_tls":1}]', 120)


_NAMES = st.sampled_from(["route", "port", "ip", "ttl", "TTL", "modification_tag", "x"])
_SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_VALUES = st.recursive(_SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner))


def read_or_refused(read: Callable[[bytes, int], object], body: bytes) -> bool:
    try:
        return isinstance(read(body, 120), list)
    except ApiError as error:
        return error.status == 400


@given(_VALUES)
def test_every_value_is_read_or_refused(value: Any) -> None:
    assert read_or_refused(bodies.routes, json.dumps(value).encode())


@given(st.binary() | st.text(alphabet='[]{}",:\\ tn1.e-').map(str.encode))
def test_every_body_is_read_or_refused(body: bytes) -> None:
    assert read_or_refused(bodies.tcp_routes, body)
