"""Trace headers: what is read from them, and what is passed on."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.handlers.request_id import Traces, uuid
from cfroute.gorouter.tracing import (
    B3,
    TraceError,
    Traceparent,
    parse_multiple,
    parse_single,
    parse_traceparent,
    request_id_of,
    tracestate,
)

TRACE = b"463ac35c9f6413ad48485a3953bb6124"
SHORT = b"48485a3953bb6124"
SPAN = b"a2fb4a1d1a96d312"
PARENT = b"0020000000000001"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TRACE + b"-" + SPAN, B3(TRACE, SPAN)),
        (SHORT + b"-" + SPAN, B3(SHORT, SPAN)),
        (TRACE.upper() + b"-" + SPAN, B3(TRACE, SPAN)),
        (b"0" * 16 + SHORT + b"-" + SPAN, B3(SHORT, SPAN)),
        (TRACE + b"-" + SPAN + b"-1", B3(TRACE, SPAN, b"1")),
        (TRACE + b"-" + SPAN + b"-d-" + PARENT, B3(TRACE, SPAN, b"d", PARENT)),
        (b"0", B3(b"0" * 16, b"0" * 16, b"0")),
        (b"d", B3(b"0" * 16, b"0" * 16, b"d")),
    ],
)
def test_single_header(value, expected):
    assert parse_single(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        b"x",
        SHORT,
        TRACE,
        b"",
        b"nonsense",
        TRACE + b"-",
        b"z" * 16 + b"-" + SPAN,
        TRACE + b"-" + SPAN + b"-2",
        SHORT + b"-" + b"g" * 16,
    ],
)
def test_single_header_that_makes_no_sense(value):
    with pytest.raises(TraceError):
        parse_single(value)


def test_several_headers_become_one():
    assert parse_multiple(TRACE, SPAN, b"", b"", b"").single() == TRACE + b"-" + SPAN
    assert parse_multiple(TRACE, SPAN, PARENT, b"True", b"").single() == b"-".join((TRACE, SPAN, b"1", PARENT))
    assert parse_multiple(TRACE, SPAN, b"", b"false", b"").single() == TRACE + b"-" + SPAN + b"-0"
    assert parse_multiple(TRACE, SPAN, b"", b"0", b"1").single() == TRACE + b"-" + SPAN + b"-d"
    assert parse_multiple(b"1", b"2", b"", b"", b"").single() == b"0" * 15 + b"1-" + b"0" * 15 + b"2"


@pytest.mark.parametrize(
    "headers",
    [
        (b"x", SPAN, b"", b"", b""),
        (TRACE, b"x", b"", b"", b""),
        (TRACE, SPAN, b"x", b"", b""),
        (TRACE, SPAN, b"", b"2", b""),
        (b"1" * 33, SPAN, b"", b"", b""),
    ],
)
def test_several_headers_that_make_no_sense(headers):
    with pytest.raises(TraceError):
        parse_multiple(*headers)


def test_what_b3_writes_it_reads():
    context = B3(TRACE, SPAN, b"1", PARENT)
    assert parse_single(context.single()) == context


def test_request_ids_from_traces():
    assert request_id_of(b"463ac35c9f6413ad48485a3953bb6124") == b"463ac35c-9f64-13ad-4848-5a3953bb6124"
    assert request_id_of(b"463ac35c9f6463ad48485a3953bb6124") is None  # there is no version 6
    assert request_id_of(SHORT) is None


@given(st.integers(0))
def test_a_new_trace_is_the_request_id(seed):
    trace = Traces(Random(seed)).begin()
    assert trace.request_id.replace(b"-", b"") == trace.trace_id
    assert trace.trace_id.endswith(trace.span_id)
    assert trace.request_id[14:15] == b"4"
    assert trace.request_id[19:20] in b"4567"


@pytest.mark.statement("F", "the request id is a random lower-case UUID of version 4 whose variant digit is 4-7")
@given(st.binary(min_size=16, max_size=16))
def test_uuids(random):
    text = uuid(random).decode()
    assert [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]
    assert text[14] == "4"
    assert text[19] in "4567"
    assert text == text.lower()


def test_an_adopted_trace_keeps_its_ids():
    trace = Traces(Random(1)).adopt(SHORT, SPAN)
    assert (trace.trace_id, trace.span_id) == (SHORT, SPAN)
    assert len(trace.request_id) == 36


GIVEN = b"00-" + TRACE + b"-" + SPAN + b"-01"


def test_traceparent():
    assert parse_traceparent(GIVEN) == Traceparent(TRACE, b"01")
    assert parse_traceparent(b" " + GIVEN.upper() + b" ") == Traceparent(TRACE, b"01")
    assert parse_traceparent(b"ff_" + GIVEN[3:]) == Traceparent(TRACE, b"01")  # neither version nor dashes are checked
    assert parse_traceparent(b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00") == Traceparent(b"0" * 32, b"00")
    for wrong in (b"", GIVEN[:-1], GIVEN + b"0", b"zz" + GIVEN[2:], GIVEN[:-2] + b"zz", GIVEN[:10] + b"g" + GIVEN[11:]):
        assert parse_traceparent(wrong) is None
    assert Traceparent(SHORT, b"01").with_parent(SPAN) == b"00-" + b"0" * 16 + SHORT + b"-" + SPAN + b"-01"


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        (b"", b"gorouter=P"),
        (b"a=1,b=2", b"gorouter=P,a=1,b=2"),
        (b"a=1, gorouter=old ,b=2", b"gorouter=P,a=1,b=2"),
        (b"a=1,nonsense,b=2=3", b"gorouter=P,a=1,b=2=3"),
        (b"tenant@gorouter=1", b"gorouter=P,tenant@gorouter=1"),
        (b"a=" + b"x" * 2046, b"gorouter=P,a=" + b"x" * 2046),
        (b"a=" + b"x" * 2047, b"gorouter=P"),
    ],
)
def test_tracestate(old, expected):
    assert tracestate(old, b"gorouter", b"P") == expected
