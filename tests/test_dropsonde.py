"""Dropsonde envelopes, read by Google's protobuf library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.dropsonde import CounterEvent, HttpStartStop, LogMessage, envelope, log_message, value_metrics
from cfroute.protobuf import fields

from .dropsonde_messages import METHODS, parse, tags, uuid_text

NOW = 1_795_287_049_857_997_287
ID = b"f11c9dbf-61f8-4f3f-5056-ead09f01a789"
APP = b"5d2a1c3e-0b7f-4c1d-9a55-0123456789ab"
texts = st.text(max_size=200)
data = st.text(max_size=200).map(str.encode)
times = st.integers(0, 2**63 - 1)


def start_stop(**different: object) -> HttpStartStop:
    event = HttpStartStop(True, NOW - 5_000_000, NOW, ID, b"GET", b"http://a.test/x", b"127.0.0.1:4711", b"me", 200, 2)
    return event._replace(**different)


@given(texts, times, st.dictionaries(texts, texts, max_size=3))
def test_the_frame_of_every_envelope(origin, time, given_tags):
    told = parse(envelope(origin.encode(), time, CounterEvent("c", 1), given_tags))
    assert (told.origin, told.timestamp, tags(told)) == (origin, time, given_tags)
    assert told.eventType == 7


@given(st.lists(st.tuples(texts, st.floats(allow_nan=False), texts), max_size=5))
def test_value_metrics(values):
    told = [parse(datagram) for datagram in value_metrics(b"gorouter", NOW, values)]
    assert [(t.valueMetric.name, t.valueMetric.value, t.valueMetric.unit) for t in told] == values
    assert {(t.origin, t.timestamp, t.eventType) for t in told} <= {("gorouter", NOW, 6)}


@given(texts, st.integers(0, 2**64 - 1))
def test_counter_event(name, delta):
    told = parse(envelope(b"gorouter", NOW, CounterEvent(name, delta)))
    assert (told.counterEvent.name, told.counterEvent.delta) == (name, delta)
    assert not told.counterEvent.HasField("total")


@given(st.binary(max_size=300), times, data, data, data, st.booleans())
def test_log_message_there_and_back(message, time, app, kind, instance, error):
    event = LogMessage(message, time, app, kind, instance, error)
    datagram = envelope(b"gorouter", time, event, {"source_id": "x"})
    told = parse(datagram)
    assert told.eventType == 5
    line = told.logMessage
    assert (line.message, line.timestamp, line.message_type) == (message, time, 2 if error else 1)
    assert [t.encode() for t in (line.app_id, line.source_type, line.source_instance)] == [app, kind, instance]
    assert log_message(datagram) == event


@given(times, times, data, data, data, st.integers(0, 999), st.integers(-1, 2**62), st.lists(data, max_size=3))
def test_http_start_stop(start, stop, uri, peer, agent, status, size, forwarded):
    event = start_stop(
        started_ns=start, stopped_ns=stop, uri=uri, remote_address=peer, user_agent=agent, status=status, content_length=size,
        forwarded=forwarded,
    )  # fmt: skip
    told = parse(envelope(b"gorouter", NOW, event)).httpStartStop
    assert (told.startTimestamp, told.stopTimestamp, told.statusCode, told.contentLength) == (start, stop, status, size)
    assert [told.uri.encode(), told.remoteAddress.encode(), told.userAgent.encode()] == [uri, peer, agent]
    assert [each.encode() for each in told.forwarded] == forwarded
    assert uuid_text(told.requestId) == ID.decode()


@pytest.mark.parametrize("method", [*METHODS, "BREW"])
def test_methods_are_numbers_and_unknown_ones_zero(method):
    told = parse(envelope(b"gorouter", NOW, start_stop(method=method.encode()))).httpStartStop
    assert told.method == METHODS.get(method, 0)


def test_peer_types():
    assert parse(envelope(b"gorouter", NOW, start_stop())).httpStartStop.peerType == 2
    assert parse(envelope(b"gorouter", NOW, start_stop(server=False))).httpStartStop.peerType == 1


def test_what_an_endpoint_tells_of_itself():
    event = start_stop(app_id=APP, instance_index=b"3", instance_id=b"i-1")
    told = parse(envelope(b"gorouter", NOW, event)).httpStartStop
    assert (uuid_text(told.applicationId), told.instanceIndex, told.instanceId) == (APP.decode(), 3, "i-1")


@pytest.mark.parametrize("app", [b"app-1", APP.upper(), b"", APP + b"0"])
@pytest.mark.parametrize("index", [b"", b"x", b"1.5", b"99999999999"])
def test_what_is_no_uuid_and_no_index_is_left_out(app, index):
    told = parse(envelope(b"gorouter", NOW, start_stop(app_id=app, instance_index=index))).httpStartStop
    assert not told.HasField("applicationId")
    assert not told.HasField("instanceIndex")
    assert not told.HasField("instanceId")


def test_what_tells_of_something_else_is_no_log_message():
    assert log_message(envelope(b"gorouter", NOW, start_stop())) is None
    assert log_message(next(value_metrics(b"gorouter", NOW, [("a", 1.5, "ms")]))) is None


@given(st.binary(max_size=60))
def test_any_datagram_is_read_or_refused(datagram):
    try:
        list(fields(datagram))
        log_message(datagram)
    except ValueError:
        pass


@pytest.mark.parametrize("kept", range(1, 28))
def test_a_log_message_that_breaks_off_is_refused(kept):
    whole = envelope(b"", 1, LogMessage(b"a line", NOW, b"app", b"RTR", b"0"))
    with pytest.raises(ValueError, match=r"breaks off|longer than|wire type|without text"):
        log_message(whole[:6] + whole[6 : 6 + kept])


@given(st.integers(0, 2**64 - 1))
def test_numbers_of_any_size(number):
    assert parse(envelope(b"", 1, CounterEvent("c", number))).counterEvent.delta == number
