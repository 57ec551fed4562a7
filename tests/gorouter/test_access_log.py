"""The access log."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.access_log import AccessLog, AccessLogError, LineFormat, Record, _seconds
from cfroute.gorouter.config import parse
from cfroute.logs import Logger
from cfroute.testing import ManualClock

if TYPE_CHECKING:
    from tests.gorouter.conftest import LogLines


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


OpenLog = Callable[[Path], AccessLog]


@pytest.fixture
def open_log(clock: ManualClock, logger: Logger) -> OpenLog:
    return lambda path: AccessLog(parse(f"access_log: {{file: '{path}'}}"), clock, logger)


def test_lines_are_written_together_and_in_order(open_log: OpenLog, clock: ManualClock, tmp_path: Path) -> None:
    log = open_log(tmp_path / "access.log")
    for status in (200, 201):
        log.log(as_bytes(Told(status=status)))
    assert (tmp_path / "access.log").read_text() == ""
    clock.advance(0.05)
    assert [text.split('" ')[1].split()[0] for text in (tmp_path / "access.log").read_text().splitlines()] == ["200", "201"]
    log.log(as_bytes(Told(status=202)))
    log.close()
    assert len((tmp_path / "access.log").read_text().splitlines()) == 3
    log.log(as_bytes(Told()))
    log.close()


def test_many_lines_do_not_wait(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log(tmp_path / "access.log")
    for _ in range(1024):
        log.log(as_bytes(Told()))
    assert len((tmp_path / "access.log").read_text().splitlines()) == 1024
    log.close()


def test_an_existing_file_is_appended_to(open_log: OpenLog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("before\n")
    log = open_log(path)
    log.log(as_bytes(Told()))
    log.close()
    assert path.read_text() == "before\n" + EXAMPLE


def test_a_new_file_is_readable_by_all(open_log: OpenLog, tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        open_log(tmp_path / "access.log").close()
    finally:
        os.umask(umask)
    assert (tmp_path / "access.log").stat().st_mode & 0o777 == 0o644


def test_without_a_file_nothing_happens(clock: ManualClock, logger: Logger) -> None:
    log = AccessLog(parse(""), clock, logger)
    log.log(as_bytes(Told()))
    log.close()


def test_a_file_that_cannot_be_opened(open_log: OpenLog, tmp_path: Path, log_lines: "LogLines") -> None:
    path = tmp_path / "missing" / "access.log"
    with pytest.raises(AccessLogError) as refused:
        open_log(path)
    assert str(refused.value) == f"open {path}: no such file or directory"
    assert log_lines.data("error-creating-accesslog-file") == [{"filename": str(path), "error": str(refused.value)}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_once(open_log: OpenLog, log_lines: "LogLines") -> None:
    log = open_log(Path("/dev/full"))
    for _ in range(3):
        log.log(as_bytes(Told()))
        log.flush()
    log.close()
    assert log_lines.messages() == ["error-writing-accesslog-file"]


@given(st.floats(min_value=0, max_value=1e6))
def test_seconds_are_shown_to_the_nearest_microsecond(seconds):
    shown = _seconds(seconds)
    assert re.fullmatch(rb"\d+\.\d{6}", shown)
    assert abs(float(shown) - seconds) <= 0.5001e-6
