"""HttpStartStop events."""

from types import SimpleNamespace

import pytest

from cfroute.dropsonde import HttpStartStop
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.logs.http_events import HttpEvents, http_events
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.tracing import TraceInfo
from cfroute.proxy.headers import Headers

ID = b"f11c9dbf-61f8-4f3f-5056-ead09f01a789"
APP = "5d2a1c3e-0b7f-4c1d-9a55-0123456789ab"


class Kept:
    """An emitter that keeps what it is given."""

    def __init__(self) -> None:
        self.deaf = False
        self.given: list[tuple[HttpStartStop, object]] = []

    def http_start_stop(self, event, tags=None):
        self.given.append((event, tags))


@pytest.fixture
def emitter():
    return Kept()


@pytest.fixture
def events(emitter, clock):
    return HttpEvents(parse(""), emitter, clock)


def exchange(clock, **different):
    headers = Headers({b"X-Forwarded-For": (b"1.1.1.1, 2.2.2.2",), b"User-Agent": (b"me",)})
    request = SimpleNamespace(method=b"GET", host=b"a.test", path=b"/a%20b", headers=headers)
    values = {
        "request": request,
        "request_id": ID,
        "front": SimpleNamespace(client=b"127.0.0.1:4711"),
        "over_tls": False,
        "received_at": clock.now_ns(),
        "attempt_started": 0,
        "proxy_started": 1.0,
        "endpoint": Endpoint(host="10.0.0.1", port=80, app=APP, instance_index="2", instance_id="i-1", tags={"component": "web"}),
        "route_service": None,
        "trace": None,
        "status": 201,
        "response_bytes": 17,
    }
    return SimpleNamespace(**{**values, **different})


def response(status=200, length=5, **headers):
    return SimpleNamespace(status=status, length=length, headers=Headers({k.encode(): (v,) for k, v in headers.items()}))


def test_the_server_tells_of_the_whole_request(events, emitter, clock):
    told = exchange(clock)
    clock.advance(0.5)
    events.served(told)
    [(event, tags)] = emitter.given
    assert event == HttpStartStop(
        True, told.received_at, clock.now_ns(), ID, b"GET", b"http://a.test/a b", b"127.0.0.1:4711", b"me", 201, 17,
        forwarded=[b"1.1.1.1"],
    )  # fmt: skip
    assert tags == {"component": "web"}


def test_what_never_got_to_the_proxy_has_its_addresses_untouched(events, emitter, clock):
    events.served(exchange(clock, proxy_started=0.0, endpoint=None, over_tls=True))
    [(event, tags)] = emitter.given
    assert (event.forwarded, event.uri, tags) == ([b"1.1.1.1", b"2.2.2.2"], b"https://a.test/a b", None)


def test_a_traced_request_has_its_trace_among_the_tags(events, emitter, clock):
    events.served(exchange(clock, trace=TraceInfo(b"t", b"s", ID)))
    assert emitter.given[0][1] == {"component": "web", "span_id": "s", "trace_id": "t"}
    events.served(exchange(clock, trace=TraceInfo(b"t", b"s", ID), endpoint=None))
    assert emitter.given[1][1] == {"span_id": "s", "trace_id": "t"}


def test_the_client_tells_of_each_attempt(events, emitter, clock):
    told = exchange(clock)
    events.attempt(told)
    began = clock.now_ns()
    clock.advance(0.25)
    events.failed(told)
    events.attempt(told)
    again = clock.now_ns()
    clock.advance(0.25)
    events.responded(told, response())
    (failed, no_tags), (answered, _) = emitter.given
    assert failed == HttpStartStop(
        False, began, again, ID, b"GET", b"http://a.test/a b", b"127.0.0.1:4711", b"me", 0, 0,
        APP.encode(), b"2", b"i-1", [b"1.1.1.1", b"2.2.2.2"],
    )  # fmt: skip
    assert answered == failed._replace(started_ns=again, stopped_ns=clock.now_ns(), status=200, content_length=5)
    assert no_tags is None
    events.failed(told)
    assert len(emitter.given) == 2  # each attempt once


@pytest.mark.parametrize(("length", "told"), [(5, 5), (0, 0), (-1, -1), (-2, -1)])
def test_lengths_that_are_not_known(events, emitter, clock, length, told):
    attempt = exchange(clock)
    events.attempt(attempt)
    events.responded(attempt, response(length=length))
    assert emitter.given[0][0].content_length == told


@pytest.mark.parametrize(("headers", "told"), [({"Content-Length": b"7"}, 7), ({}, -1)])
def test_responses_to_head_have_the_length_that_they_announce(events, emitter, clock, headers, told):
    attempt = exchange(clock)
    attempt.request.method = b"HEAD"
    events.attempt(attempt)
    events.responded(attempt, response(length=0, **headers))
    assert emitter.given[0][0].content_length == told


def test_a_route_service_is_the_place_that_is_asked(events, emitter, clock):
    service = SimpleNamespace(authority=b"rs.test:8443", target=b"/in?x=1")
    attempt = exchange(clock, route_service=service, endpoint=None)
    events.attempt(attempt)
    events.responded(attempt, response())
    event = emitter.given[0][0]
    assert (event.uri, event.app_id, event.instance_id) == (b"http://rs.test:8443/in", b"", b"")


def test_nothing_is_made_for_nobody(events, emitter, clock):
    emitter.deaf = True
    attempt = exchange(clock)
    events.attempt(attempt)
    events.responded(attempt, response())
    events.served(attempt)
    assert (emitter.given, attempt.attempt_started) == ([], 0)


@pytest.mark.parametrize(("server", "client"), [(True, False), (False, True), (False, False)])
def test_each_side_can_be_switched_off(emitter, clock, server, client):
    text = f"{{send_http_start_stop_server_event: {server}, send_http_start_stop_client_event: {client}}}".lower()
    events = http_events(parse(text), emitter, clock)
    assert (events is None) is not (server or client)
    if events is not None:
        attempt = exchange(clock)
        events.attempt(attempt)
        events.responded(attempt, response())
        events.served(attempt)
        assert [event.server for event, _ in emitter.given] == ([True] if server else [False])
