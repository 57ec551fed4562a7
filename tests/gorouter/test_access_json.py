"""The access log as JSON."""

import json

import pytest

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.logs.access_file import AccessLogError
from cfroute.gorouter.logs.access_json import AccessJson

from .access_records import record


def written(tmp_path, logger, record, config="{}") -> dict:
    settings = parse(config)
    settings.cfroute.access_log_json = str(tmp_path / "access.json")
    log = AccessJson(settings, logger)
    log.log(record, b"", None)
    assert (tmp_path / "access.json").read_bytes() == b""
    log.flush()
    log.close()
    (line,) = (tmp_path / "access.json").read_text().splitlines()
    return json.loads(line)


def test_what_the_line_says(tmp_path, logger, monkeypatch):
    shown = written(tmp_path, logger, record(dial_time=0.0012345678, failed_attempts=1, local_address=b"127.0.0.1:3"))
    assert shown.pop("time").endswith(".857997287Z")
    assert shown == {
        "host": "a.test",
        "method": "GET",
        "uri": "/x",
        "proto": "HTTP/1.1",
        "status": 200,
        "request_bytes": 0,
        "response_bytes": 2,
        "referer": None,
        "user_agent": "me",
        "client": "127.0.0.1:1",
        "backend": "127.0.0.1:2",
        "x_forwarded_for": "127.0.0.1",
        "x_forwarded_proto": "http",
        "vcap_request_id": "f11c9dbf-61f8-4f3f-5056-ead09f01a789",
        "response_time": 0.25,
        "gorouter_time": 0.000331,
        "app_id": "app-1",
        "app_index": "0",
        "instance_id": "i1",
        "failed_attempts": 1,
        "failed_attempts_time": None,
        "backend_time": None,
        "dns_time": None,
        "dial_time": 0.001235,
        "tls_time": None,
        "local_address": "127.0.0.1:3",
        "tls_sni": None,
        "caller_cf_app": None,
        "caller_cf_space": None,
        "caller_cf_org": None,
        "route_policy": None,
        "x_cf_routererror": None,
    }


def test_what_may_not_be_logged_is_not_logged_here_either(tmp_path, logger):
    config = "logging: {disable_log_source_ip: true, disable_log_forwarded_for: true, redact_query_params: all}"
    shown = written(tmp_path, logger, record(uri=b"/x?secret=1", status=0), config)
    assert (shown["client"], shown["x_forwarded_for"], shown["uri"], shown["status"]) == (None, None, "/x", None)


def test_extra_headers(tmp_path, logger):
    shown = written(tmp_path, logger, record(extra=[b"\xff\n"]), "extra_headers_to_log: [X-A, X-B]")
    assert shown["headers"] == {"x_a": "\ufffd\n", "x_b": None}


def test_a_file_that_cannot_be_opened(tmp_path, logger, log_lines):
    with pytest.raises(AccessLogError):
        AccessJson(parse(f"cfroute: {{access_log_json: '{tmp_path}/missing/x'}}"), logger)
    assert log_lines.messages() == ["error-creating-accesslog-file"]
