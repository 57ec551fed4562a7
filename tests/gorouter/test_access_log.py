"""The access log."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.logs.access_log import AccessLog, LineFormat, Record, _seconds
from cfroute.testing import ManualClock


@dataclass
class Told:
    """The request of the specification's example, as texts."""

    host: str = "rsapp.test"
    received_at_ns: int = 1_795_287_049_857_997_287
    method: str = "GET"
    uri: str = "/foo/bar?x=1&y=%20z"
    proto: str = "HTTP/1.1"
    status: int = 200
    request_bytes: int = 0
    response_bytes: int = 2
    referer: str = ""
    user_agent: str = ""
    client: str = "127.0.0.1:37998"
    backend: str = "127.0.0.1:31900"
    forwarded_for: str = "127.0.0.1"
    forwarded_proto: str = "https"
    request_id: str = "f11c9dbf-61f8-4f3f-5056-ead09f01a789"
    response_time: float = 0.002835
    gorouter_time: float = 0.000331
    app_id: str = "app-1"
    app_index: str = ""
    instance_id: str = "i1"
    router_error: str = ""
    extra: list[str] = field(default_factory=list)
    backend_time: float = 0.0025
    dial_time: float = -1
    dns_time: float = -1
    tls_time: float = -1
    failed_attempts: int = 1
    failed_attempts_time: float = 0.5
    local_address: str = "127.0.0.1:4711"


EXAMPLE = (
    'rsapp.test - [2026-11-21T18:50:49.857997287Z] "GET /foo/bar?x=1&y=%20z HTTP/1.1" 200 0 2 "-" "-" "127.0.0.1:37998" '
    '"127.0.0.1:31900" x_forwarded_for:"127.0.0.1" x_forwarded_proto:"https" '
    'vcap_request_id:"f11c9dbf-61f8-4f3f-5056-ead09f01a789" response_time:0.002835 gorouter_time:0.000331 app_id:"app-1" '
    'app_index:"-" instance_id:"i1" x_cf_routererror:"-"\n'
)


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def as_bytes(record: Told) -> Record:
    """The record as the router hands it over: texts as they came from the wire."""
    values = {
        name: value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        for name, value in vars(record).items()
    }
    values["extra"] = [value.encode("utf-8", "surrogateescape") for value in record.extra]
    return Record(**values)


def line(record: Told, config: str = "") -> str:
    return LineFormat(parse(config)).line(as_bytes(record)).decode("utf-8", "surrogateescape")


def test_the_line_of_a_real_router() -> None:
    assert line(Told()) == EXAMPLE


def test_nothing_known() -> None:
    shown = line(Told(status=0, response_time=-1, gorouter_time=-1, backend="", app_id="", instance_id=""))
    assert ' HTTP/1.1" "-" 0 2 ' in shown
    assert 'response_time:"-" gorouter_time:"-" app_id:"-" app_index:"-" instance_id:"-" ' in shown


def test_texts_are_quoted_as_go_does() -> None:
    shown = line(Told(referer='"\n', user_agent="é\u2028", uri='/a?q="', router_error="\udcff"))
    assert '"GET /a?q=\\" HTTP/1.1"' in shown
    assert '"\\"\\n" "é\\u2028"' in shown
    assert shown.endswith('x_cf_routererror:"\\xff"\n')


def test_what_may_not_be_logged() -> None:
    shown = line(Told(), "logging: {disable_log_source_ip: true, disable_log_forwarded_for: true}")
    assert '"-" "-" "-" "127.0.0.1:31900" x_forwarded_for:"-" x_forwarded_proto:"https"' in shown


@pytest.mark.parametrize(
    ("mode", "method", "uri", "shown"),
    [
        ("all", "GET", "/p?a=1", "/p"),
        ("hash", "GET", "/p?a=1", f"/p?hash={hashlib.sha1(b'a=1').hexdigest()}"),
        ("all", "POST", "/p?a=1", "/p?a=1"),
        ("hash", "GET", "/p", "/p"),
        ("all", "GET", "/p?", "/p?"),
        ("none", "GET", "/p?a=1", "/p?a=1"),
    ],
)
def test_redaction(mode: str, method: str, uri: str, shown: str) -> None:
    config = f"logging: {{redact_query_params: {mode}}}"
    assert f'"{method} {shown} HTTP/1.1"' in line(Told(method=method, uri=uri), config)


def test_extra_fields_in_the_order_given() -> None:
    names = "[local_address, dial_time, unknown, backend_time, dial_time, failed_attempts, failed_attempts_time]"
    shown = line(Told(), f"logging: {{extra_access_log_fields: {names}}}")
    expected = (
        'local_address:"127.0.0.1:4711" dial_time:"-" backend_time:0.002500 failed_attempts:1 failed_attempts_time:0.500000'
    )
    assert f'instance_id:"i1" {expected} x_cf_routererror:"-"\n' in shown


def test_extra_headers_once_each_then_the_tracing_ones() -> None:
    config = "extra_headers_to_log: [X-Own, TraceParent, x-own]\ntracing: {enable_zipkin: true, enable_w3c: true}"
    format_ = LineFormat(parse(config))
    assert format_.extra_names == [
        *(b"X-Own", b"Traceparent", b"X-B3-Traceid", b"X-B3-Spanid", b"X-B3-Parentspanid", b"B3", b"Tracestate"),
    ]
    shown = format_.line(as_bytes(Told(extra=["a\tb", "00-x"]))).decode()
    assert shown.endswith(
        'x_cf_routererror:"-" x_own:"a\\tb" traceparent:"00-x" x_b3_traceid:"-" x_b3_spanid:"-" '
        'x_b3_parentspanid:"-" b3:"-" tracestate:"-"\n'
    )


PATTERN = re.compile(
    r'(\S+) - \[(\S+)\] "(\S+) (.*) (\S+)" (\d+|"-") (\d+) (\d+) (".*") (".*") (".*") (".*") x_forwarded_for:(".*") '
    r'x_forwarded_proto:(".*") vcap_request_id:(".*") response_time:(\S+) gorouter_time:(\S+) app_id:(".*") app_index:(".*") '
    r'instance_id:(".*") x_cf_routererror:(".*")\n'
)


@given(st.text(), st.text(), st.text())
def test_whatever_a_client_sends_it_stays_one_line(referer: str, agent: str, forwarded: str) -> None:
    shown = line(Told(referer=referer, user_agent=agent, forwarded_for=forwarded))
    assert PATTERN.fullmatch(shown)
    assert len(shown.splitlines()) == 1


class Kept:
    """A writer that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.closed = False

    def write(self, lines: Sequence[bytes]) -> None:
        self.lines += lines

    def close(self) -> None:
        self.closed = True


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Record, bytes, object]] = []
        self.told: list[str] = []

    def log(self, record: Record, line: bytes, tags: object) -> None:
        self.heard.append((record, line, tags))

    def flush(self) -> None:
        self.told.append("flush")

    def close(self) -> None:
        self.told.append("close")


def statuses(lines: Sequence[bytes]) -> list[str]:
    return [text.decode().split('" ')[1].split()[0] for text in lines]


def test_lines_are_written_together_and_in_order_to_all_writers(clock: ManualClock) -> None:
    writers = [Kept(), Kept()]
    log = AccessLog(parse(""), clock, writers)
    for status in (200, 201):
        log.log(as_bytes(Told(status=status)))
    assert writers[0].lines == []
    clock.advance(0.05)
    assert [statuses(writer.lines) for writer in writers] == [["200", "201"]] * 2
    log.log(as_bytes(Told(status=202)))
    log.close()
    assert [statuses(writer.lines)[2:] for writer in writers] == [["202"]] * 2
    assert [writer.closed for writer in writers] == [True] * 2
    assert not log.enabled


def test_many_lines_do_not_wait(clock: ManualClock) -> None:
    writer = Kept()
    log = AccessLog(parse(""), clock, [writer])
    for _ in range(1023):
        log.log(as_bytes(Told()))
    assert writer.lines == []
    log.log(as_bytes(Told()))
    assert len(writer.lines) == 1024


def test_listeners_hear_of_each_line_at_once(clock: ManualClock) -> None:
    listener = Heard()
    log = AccessLog(parse(""), clock, [], [listener])
    record = as_bytes(Told())
    log.log(record, {"component": "web"})
    assert listener.heard == [(record, EXAMPLE.encode(), {"component": "web"})]
    clock.advance(0.05)
    log.close()
    assert listener.told == ["flush", "close"]


def test_without_writers_and_listeners_it_is_off(clock: ManualClock) -> None:
    log = AccessLog(parse(""), clock)
    assert not log.enabled
    log.close()


@pytest.mark.parametrize(
    ("config", "detailed"),
    [
        ("", False),
        ("logging: {extra_access_log_fields: [unknown]}", False),
        ("logging: {extra_access_log_fields: [dial_time]}", True),
        ("cfroute: {access_log_json: /tmp/x}", True),
    ],
)
def test_details_are_measured_only_for_somebody(config: str, detailed: bool, clock: ManualClock) -> None:
    assert AccessLog(parse(config), clock).detailed is detailed


@given(st.floats(min_value=0, max_value=1e6))
def test_seconds_are_shown_to_the_nearest_microsecond(seconds):
    shown = _seconds(seconds)
    assert re.fullmatch(rb"\d+\.\d{6}", shown)
    assert abs(float(shown) - seconds) <= 0.5001e-6
