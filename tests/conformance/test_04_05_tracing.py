"""Zipkin's and W3C's trace headers, towards the app, in the request id and in the logs."""

import re

import pytest

TRACE = "463ac35c9f6413ad48485a3953bb6124"
TRACE_AS_UUID = "463ac35c-9f64-13ad-4848-5a3953bb6124"
SHORT = "48485a3953bb6124"
SPAN = "a2fb4a1d1a96d312"


@pytest.fixture(scope="module")
def traced(module_routers):
    """A router that keeps up both kinds of traces, one with W3C's alone, and an app behind both."""
    both = module_routers.start(tracing={"enable_zipkin": True, "enable_w3c": True, "w3c_tenant_id": "tenant"})
    w3c = module_routers.start(tracing={"enable_w3c": True})
    app = module_routers.backend()
    for router in (both, w3c):
        router.register("traced.test", app)
    return both, w3c, app


def seen(app) -> dict[str, str]:
    """The headers of the last request at the app, in lower case."""
    lines = app.seen[-1].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def ask(router, app, *headers: str) -> dict[str, str]:
    assert router.get("traced.test", "/", *headers).status == 200
    return seen(app)


@pytest.mark.statement("4.5", "without B3 headers a trace begins here: its id is the request's, its span the lower half of it")
@pytest.mark.statement("4.5", "a new traceparent has Zipkin's ids, and comes with our own tracestate alone")
def test_a_new_trace(traced):
    headers = ask(traced[0], traced[2], "tracestate: a=1")
    trace, span = headers["x-b3-traceid"], headers["x-b3-spanid"]
    assert re.fullmatch("[0-9a-f]{32}", trace)
    assert span == trace[16:]
    assert headers["b3"] == f"{trace}-{span}"
    assert headers["x-vcap-request-id"].replace("-", "") == trace
    assert headers["traceparent"] == f"00-{trace}-{span}-01"
    assert headers["tracestate"] == f"tenant@gorouter={span}"


@pytest.mark.statement("4.5", "a b3 header that parses is taken over, and no B3 header changes")
@pytest.mark.statement("4.5", "a trace id of 32 digits with the version of a UUID becomes the request id, others do not")
@pytest.mark.parametrize(("trace", "request_id"), [(TRACE, TRACE_AS_UUID), (SHORT, None), ("f" * 32, None)])
def test_b3(traced, trace, request_id):
    headers = ask(traced[0], traced[2], f"b3: {trace}-{SPAN}-1")
    assert headers["b3"] == f"{trace}-{SPAN}-1"
    assert "x-b3-traceid" not in headers
    assert (headers["x-vcap-request-id"] == request_id) is (request_id is not None)
    assert headers["traceparent"] == f"00-{trace.rjust(32, '0')}-{SPAN}-01"


@pytest.mark.statement("4.5", "a b3 header that does not parse is logged, and the other headers are looked at")
def test_b3_that_makes_no_sense(traced):
    headers = ask(traced[0], traced[2], "b3: nonsense", f"X-B3-TraceId: {TRACE}", f"X-B3-SpanId: {SPAN}")
    assert headers["b3"] == f"{TRACE}-{SPAN}"
    assert traced[0].log("failed-to-parse-single-header")


@pytest.mark.statement("4.5", "X-B3-TraceId and X-B3-SpanId are also written as b3, with what is sampled and the parent")
@pytest.mark.parametrize(
    ("more", "tail"),
    [
        ((), ""),
        (("X-B3-Sampled: true",), "-1"),
        (("X-B3-Flags: 1",), "-d"),
        (("X-B3-Sampled: 0", f"X-B3-ParentSpanId: {SPAN}"), f"-0-{SPAN}"),
    ],
)
def test_several_b3_headers(traced, more, tail):
    headers = ask(traced[0], traced[2], f"X-B3-TraceId: {TRACE}", f"X-B3-SpanId: {SPAN}", *more)
    assert headers["b3"] == f"{TRACE}-{SPAN}{tail}"
    assert headers["x-vcap-request-id"] == TRACE_AS_UUID


@pytest.mark.statement("4.5", "X-B3 headers that do not parse are logged, and nothing is changed")
def test_several_b3_headers_that_make_no_sense(traced):
    headers = ask(traced[0], traced[2], "X-B3-TraceId: x", f"X-B3-SpanId: {SPAN}")
    assert (headers["x-b3-traceid"], headers["x-b3-spanid"]) == ("x", SPAN)
    assert "b3" not in headers
    assert traced[0].log("failed-to-parse-b3-trace-id")


@pytest.mark.statement("4.5", "an accepted traceparent keeps trace and flags, gets a new parent and version 00")
@pytest.mark.statement("4.5", "tracestate: our entry first, then the old ones but those of the same key and those without =")
def test_traceparent(traced):
    state = "tracestate: a=1,gorouter=old,nonsense, b=2"
    headers = ask(traced[1], traced[2], f"traceparent:  FF_{TRACE.upper()}_{SPAN}_00 ", state)
    version, trace, parent, flags = headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "00")
    assert parent != SPAN
    assert headers["tracestate"] == f"gorouter={parent},a=1,b=2"
    assert headers["x-vcap-request-id"] == TRACE_AS_UUID
    assert "b3" not in headers


@pytest.mark.statement("4.5", "a traceparent that is not accepted is replaced; a tracestate of more than 2048 bytes is ignored")
def test_traceparents_that_are_not_taken_over(traced):
    for wrong in (f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-x", f"zz-{TRACE}-{SPAN}-01"):
        headers = ask(traced[1], traced[2], f"traceparent: {wrong}")
        assert headers["traceparent"].split("-")[1] == headers["x-vcap-request-id"].replace("-", "")
    headers = ask(traced[1], traced[2], f"traceparent: 00-{TRACE}-{SPAN}-01", "tracestate: a=" + "x" * 2048)
    assert re.fullmatch("gorouter=[0-9a-f]{16}", headers["tracestate"])


@pytest.mark.statement("4.5", "the trace headers end the access line; log lines of a traced request carry trace-id and span-id")
def test_logs(traced):
    router = traced[0]
    router.get("traced.test", "/logged", f"b3: {TRACE}-{SPAN}")
    line = router.access_line("/logged")
    assert line.endswith(
        f'x_b3_traceid:"-" x_b3_spanid:"-" x_b3_parentspanid:"-" b3:"{TRACE}-{SPAN}" '
        f'traceparent:"00-{TRACE}-{SPAN}-01" tracestate:"tenant@gorouter={SPAN}"'
    )
    router.get("nowhere.test", "/unknown", f"b3: {TRACE}-{SPAN}")
    assert f'b3:"{TRACE}-{SPAN}"' in router.access_line("/unknown")
    router.get("127.0.0.1", "/", f"b3: {TRACE}-{SPAN}")
    status = next(data for data in router.log("status") if data["body"].endswith("empty Host header"))
    assert (status["trace-id"], status["span-id"]) == (TRACE, SPAN)


@pytest.mark.statement("4.5", "the request id goes to the app and to the client, but not with answers of the router's own")
def test_request_id(traced):
    answer = traced[1].get("traced.test")
    assert answer["X-Vcap-Request-Id"] == seen(traced[2])["x-vcap-request-id"]
    assert traced[1].get("nowhere.test")["X-Vcap-Request-Id"] is None
