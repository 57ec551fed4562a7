"""What sends events to the metron agent."""

import socket

import pytest

from cfroute.dropsonde import HttpStartStop, LogMessage
from cfroute.gorouter.logs.dropsonde import Emitter, MetronAddressError

from ..dropsonde_messages import parse, tags


def waiting(listener) -> int:
    """How many datagrams are there."""
    listener.setblocking(False)
    count = 0
    try:
        while listener.recv(65536):
            count += 1
    except BlockingIOError:
        return count
    finally:
        listener.settimeout(30)


def test_events_arrive_in_order_and_together(metron, emitter, clock):
    emitter.counter_event("first")
    clock.advance(0)  # the first event goes at once: it shows whether somebody listens
    emitter.counter_event("second", 2, {"component": "route-emitter"})
    emitter.counter_event("third", 3)
    clock.advance(0.04)
    assert waiting(metron) == 1
    clock.advance(0.02)
    second, third = parse(metron.recv(65536)), parse(metron.recv(65536))
    assert (second.origin, second.counterEvent.name, tags(second)) == ("gorouter", "second", {"component": "route-emitter"})
    assert (third.counterEvent.name, third.counterEvent.delta) == ("third", 3)
    assert third.timestamp == clock.now_ns() - 60_000_000


def test_many_events_do_not_wait(metron, emitter, clock):
    emitter.counter_event("probe")
    clock.advance(0)
    for _ in range(1024):
        emitter.counter_event("c")
    assert waiting(metron) > 100


def test_the_last_events_are_sent_at_the_end(metron, emitter):
    emitter.counter_event("last")
    emitter.close()
    emitter.counter_event("too late")
    assert parse(metron.recv(65536)).counterEvent.name == "last"
    assert waiting(metron) == 0


def test_nothing_is_taken_for_a_second_where_nobody_listens(metron, emitter, clock, log_lines):
    address = metron.getsockname()
    metron.close()
    emitter.counter_event("lost")
    clock.advance(0)
    assert emitter.deaf
    assert clock.waiting == 1
    emitter.value_metrics([("dropped", 1, "ms")])
    clock.advance(0.99)
    assert (emitter.deaf, clock.waiting) == (True, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(address)
        again.settimeout(30)
        clock.advance(0.02)
        assert clock.waiting == 0
        emitter.counter_event("heard")
        clock.advance(0)
        assert parse(again.recv(65536)).counterEvent.name == "heard"
    assert log_lines == []


def test_values_are_sent_at_once(metron, emitter, clock):
    emitter.value_metrics([("latency", 1.5, "ms"), ("latency", 2.5, "ms"), ("uptime", 3, "seconds")])
    told = [parse(metron.recv(65536)) for _ in range(3)]
    assert [(t.valueMetric.name, t.valueMetric.value, t.valueMetric.unit) for t in told] == [
        ("latency", 1.5, "ms"),
        ("latency", 2.5, "ms"),
        ("uptime", 3.0, "seconds"),
    ]
    assert {(t.origin, t.timestamp, t.eventType) for t in told} == {("gorouter", clock.now_ns(), 6)}


def test_log_messages_and_requests(metron, emitter, clock):
    emitter.log_message(LogMessage(b"a line", 5, b"app", b"RTR", b"0"), {"app_id": "app"})
    emitter.http_start_stop(
        HttpStartStop(False, 3, 7, b"f11c9dbf-61f8-4f3f-5056-ead09f01a789", b"GET", b"http://a/", b"c", b"", 200, 0)
    )
    emitter.flush()
    line, request = parse(metron.recv(65536)), parse(metron.recv(65536))
    assert (line.timestamp, line.logMessage.message, tags(line)) == (5, b"a line", {"app_id": "app"})
    assert (request.timestamp, request.httpStartStop.stopTimestamp, tags(request)) == (7, 7, {})


def test_what_is_larger_than_a_datagram_is_logged(emitter, log_lines):
    emitter.log_message(LogMessage(b"x" * 70_000, 5, b"app", b"RTR", b"0"))
    emitter.http_start_stop(
        HttpStartStop(False, 3, 7, b"f11c9dbf-61f8-4f3f-5056-ead09f01a789", b"GET", b"/" * 70_000, b"c", b"", 200, 0)
    )
    emitter.counter_event("c" * 70_000)
    emitter.flush()
    assert log_lines.messages() == [
        "error-emitting-access-log-to-writers",
        "failed-to-emit-startstop-event",
        "failed-to-emit-metric",
    ]
    assert log_lines[0]["data"] == {"error": "message too long"}


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("", "Failed to initialize dropsonde: destination variable not set"),
        ("localhost", "address localhost: missing port in address"),
        ("nowhere.invalid:3457", "lookup nowhere.invalid: no such host"),
    ],
)
def test_addresses_that_are_none(clock, logger, address, error):
    with pytest.raises(MetronAddressError, match=f"^{error}$"):
        Emitter(address, clock, logger)
