"""A record of the access log for tests."""

from cfroute.gorouter.logs.access_log import Record


def record(**different: object) -> Record:
    """A GET that an app answered; times were not measured."""
    values: dict[str, object] = {
        "host": b"a.test",
        "received_at_ns": 1_795_287_049_857_997_287,
        "method": b"GET",
        "uri": b"/x",
        "proto": b"HTTP/1.1",
        "status": 200,
        "request_bytes": 0,
        "response_bytes": 2,
        "referer": b"",
        "user_agent": b"me",
        "client": b"127.0.0.1:1",
        "backend": b"127.0.0.1:2",
        "forwarded_for": b"127.0.0.1",
        "forwarded_proto": b"http",
        "request_id": b"f11c9dbf-61f8-4f3f-5056-ead09f01a789",
        "response_time": 0.25,
        "gorouter_time": 0.000331,
        "app_id": b"app-1",
        "app_index": b"0",
        "instance_id": b"i1",
        "router_error": b"",
        "extra": (),
        **different,
    }
    return Record(**values)  # type: ignore[arg-type]
