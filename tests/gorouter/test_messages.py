"""Registrations as they come over NATS."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.nats import messages
from cfroute.gorouter.nats.messages import MessageError, RegistryMessage, decode, to_endpoint
from cfroute.gorouter.routing_table.route_options import NO_OPTIONS, RouteOptions

FULL = {
    "host": "10.0.0.1",
    "port": 61000,
    "tls_port": 61001,
    "protocol": "http2",
    "uris": ["a.test", "b.test/x"],
    "app": "app-guid",
    "private_instance_id": "iid",
    "private_instance_index": "2",
    "tags": {"component": "route-emitter"},
    "stale_threshold_in_seconds": 30,
    "route_service_url": "https://rs.test",
    "isolation_segment": "is",
    "server_cert_domain_san": "san",
    "availability_zone": "z1",
    "endpoint_updated_at_ns": 1_700_000_000_000_000_001,
    "options": {"loadbalancing": "least-connection"},
}


def error_of(payload: bytes) -> str:
    with pytest.raises(MessageError) as refused:
        decode(payload)
    return str(refused.value)


def outcome(payload: bytes) -> RegistryMessage | str:
    try:
        return decode(payload)
    except MessageError as error:
        return str(error)


def test_a_full_message_becomes_an_endpoint() -> None:
    endpoint = to_endpoint(decode(json.dumps(FULL).encode()), stale_threshold=120.0, http2=True)
    assert (endpoint.address, endpoint.tls, endpoint.protocol, endpoint.ttl) == ("10.0.0.1:61001", True, "http2", 30.0)
    assert (endpoint.app, endpoint.instance_id, endpoint.instance_index) == ("app-guid", "iid", "2")
    assert (endpoint.san, endpoint.isolation_segment, endpoint.availability_zone) == ("san", "is", "z1")
    assert (endpoint.route_service_url, endpoint.load_balancing) == ("https://rs.test", "least-connection")
    assert (endpoint.updated_at_ns, endpoint.tags) == (1_700_000_000_000_000_001, {"component": "route-emitter"})


@pytest.mark.parametrize(("seconds", "ttl"), [(0, 120.0), (1, 1.0), (120, 120.0), (121, 120.0), (-5, -5.0)])
def test_a_message_can_only_shorten_the_time_to_live(seconds: int, ttl: float) -> None:
    message = RegistryMessage(stale_threshold_in_seconds=seconds)
    assert to_endpoint(message, stale_threshold=120.0, http2=True).ttl == ttl


@pytest.mark.parametrize(
    ("protocol", "http2", "shown"),
    [("", True, "http1"), ("http2", True, "http2"), ("http2", False, "http1"), ("gopher", False, "gopher")],
)
def test_protocols(protocol: str, http2: bool, shown: str) -> None:
    assert to_endpoint(RegistryMessage(protocol=protocol), stale_threshold=120.0, http2=http2).protocol == shown


def test_what_go_accepts() -> None:
    assert decode(b"null") == decode(b" {} ") == decode(b'{"host":null,"tags":null,"uris":null,"unknown":[{}]}')
    message = decode(b'{"HOST":"h","Port":80,"URIs":["a",null],"Tags":{"a":"b","c":null},"options":{"LoadBalancing":"x","y":1}}')
    assert (message.host, message.port, message.uris) == ("h", 80, ["a", ""])
    assert (message.tags, message.options.loadbalancing) == ({"a": "b", "c": ""}, "x")
    assert decode(b'{"host":"\xff\\ud800"}').host == "\ufffd\ufffd"
    assert decode(b'{"port":1,"port":2,"options":null}').port == 2


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "unexpected end of JSON input"),
        (b"{}{}", "invalid character '{' after top-level value"),
        (b"[]", "json: cannot unmarshal array into Go value of type mbus.RegistryMessage"),
        (b'{"port":"80"}', "json: cannot unmarshal string into Go struct field RegistryMessage.port of type uint16"),
        (b'{"PORT":"80"}', "json: cannot unmarshal string into Go struct field RegistryMessage.port of type uint16"),
        (b'{"port":65536}', "json: cannot unmarshal number 65536 into Go struct field RegistryMessage.port of type uint16"),
        (b'{"tls_port":-1}', "json: cannot unmarshal number -1 into Go struct field RegistryMessage.tls_port of type uint16"),
        (b'{"port":8.5}', "json: cannot unmarshal number 8.5 into Go struct field RegistryMessage.port of type uint16"),
        (b'{"port":8e1}', "json: cannot unmarshal number 8e1 into Go struct field RegistryMessage.port of type uint16"),
        (b'{"host":1}', "json: cannot unmarshal number into Go struct field RegistryMessage.host of type string"),
        (b'{"uris":"a"}', "json: cannot unmarshal string into Go struct field RegistryMessage.uris of type []route.Uri"),
        (b'{"uris":[1]}', "json: cannot unmarshal number into Go struct field RegistryMessage.uris of type route.Uri"),
        (b'{"tags":[]}', "json: cannot unmarshal array into Go struct field RegistryMessage.tags of type map[string]string"),
        (b'{"tags":{"a":true}}', "json: cannot unmarshal bool into Go struct field RegistryMessage.tags of type string"),
        (
            b'{"options":{"loadbalancing":{}}}',
            "json: cannot unmarshal object into Go struct field RegistryMessageOpts.options.loadbalancing of type string",
        ),
        (
            b'{"options":"x"}',
            "json: cannot unmarshal string into Go struct field RegistryMessage.options of type mbus.RegistryMessageOpts",
        ),
        (
            b'{"port":true,"host":1}',
            "json: cannot unmarshal bool into Go struct field RegistryMessage.port of type uint16",
        ),
        (b'{"route_service_url":"http://x"}', "Unable to validate message. route_service_url must be https"),
        (b'{"route_service_url":" https://x","X":1}', "Unable to validate message. route_service_url must be https"),
    ],
)
def test_what_go_refuses(payload: bytes, message: str) -> None:
    assert error_of(payload) == message


_VALUES = st.sampled_from([None, "", "x", 0, 80, 70000, -1, 1.5, True, [], ["u"], [1], {}, {"component": "c"}, {"a": 1}])


@given(st.dictionaries(st.sampled_from(sorted(FULL)), _VALUES, max_size=4))
def test_the_quick_and_the_careful_way_agree(document: dict[str, object]) -> None:
    careful = {**document, "unknown": 1}
    assert outcome(json.dumps(document).encode()) == outcome(json.dumps(careful).encode())


def test_the_start_message() -> None:
    config = parse("index: 3\nstart_response_delay_interval: 20500ms\ncfroute: {address: 127.9.9.9}")
    assert json.loads(messages.start_message(config, "uuid")) == {
        "id": "3-uuid",
        "hosts": ["127.9.9.9"],
        "minimumRegisterIntervalInSeconds": 20,
        "pruneThresholdInSeconds": 120,
    }


def test_options_of_a_route() -> None:
    options = {
        "loadbalancing": "hash",
        "hash_header": "X-Tenant",
        "hash_balance": 1.25,
        "route_policy_scope": "org",
        "route_policy_sources": "cf:app:g1,cf:any",
    }
    assert decode(json.dumps({"options": options}).encode()).options == RouteOptions(**options)
    spelled = decode(b'{"options":{"LoadBalancing":"hash","Hash_Header":"H","hash_balance":2,"new":[]},"other":1}').options
    assert spelled == RouteOptions("hash", "H", 2.0)
    assert decode(b'{"options":{"hash_balance":null}}').options == decode(b"{}").options == NO_OPTIONS


@pytest.mark.parametrize(("balance", "shown"), [(b'"1.5"', "string"), (b"1e999", "number 1e999")])
def test_a_balance_that_is_no_number_refuses_the_message(balance: bytes, shown: str) -> None:
    where = "Go struct field RegistryMessageOpts.options.hash_balance"
    error = error_of(b'{"options":{"hash_balance":' + balance + b"}}")
    assert error == f"json: cannot unmarshal {shown} into {where} of type float64"
