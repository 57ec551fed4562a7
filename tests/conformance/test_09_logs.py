"""Section 9 of what is known of the real Gorouter: the application log and the access log."""

import calendar
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ..ports import free_port
from ..program import program
from ..waiting import eventually
from .conftest import DEADLINE, OK, Router

NAMES = (
    "host", "time", "method", "uri", "proto", "status", "request_bytes", "response_bytes", "referer", "user_agent", "client",
    "backend", "x_forwarded_for", "x_forwarded_proto", "vcap_request_id", "response_time", "gorouter_time", "app_id",
    "app_index", "instance_id", "between", "error", "headers",
)  # fmt: skip
LINE = re.compile(
    r'(\S+) - \[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)\] "(\S+) (.*?) (HTTP/\S+)" (\d+|"-") (\d+) (\d+) "(.*?)" "(.*?)" '
    r'"(.*?)" "(.*?)" x_forwarded_for:"(.*?)" x_forwarded_proto:"(.*?)" vcap_request_id:"(.*?)" '
    r'response_time:(\S+) gorouter_time:(\S+) app_id:"(.*?)" app_index:"(.*?)" instance_id:"(.*?)" '
    r'(.*)x_cf_routererror:"(.*?)"(.*)'
)


def line_of(router: Router, host: str, count: int = 1) -> dict[str, str]:
    """The last line about a host, once there are so many, field by field."""

    def look() -> list[str] | None:
        found = [text for text in router.access_log.read_text().splitlines() if text.startswith(f"{host} - ")]
        return found if len(found) >= count else None

    text = eventually(look, f"{count} lines about {host}")[-1]
    match = LINE.fullmatch(text)
    assert match, text
    return dict(zip(NAMES, match.groups(), strict=True))


def lines(router: Router) -> list[dict]:
    """The application log."""
    return [json.loads(text) for text in router.output.read_text().splitlines() if text.startswith("{")]


# 9.1 Application log

COMPONENTS = [
    [],
    *([name] for name in ("nats", "subscriber", "registry", "router", "proxy", "access-grlog", "metricsreporter", "fdMonitor")),
    *([name] for name in ("FileDescriptor", "NATSMonitor", "route-fetcher")),
]


@pytest.mark.statement("9.1", "each line is one JSON object with level, time, message, source and data, which may be empty")
@pytest.mark.statement("9.1", "times are seconds of the epoch unless the format says otherwise")
def test_application_log(shared_router):
    for line in lines(shared_router):
        assert {"log_level", "timestamp", "message", "source", "data"} == line.keys()
        assert line["log_level"] in (0, 1, 2, 3)
        assert isinstance(line["timestamp"], float)
        assert isinstance(line["data"], dict)
        assert line["source"].split(".")[:2] == ["gorouter", "stdout"]
        assert line["source"].split(".")[2:] in COMPONENTS
    assert any(line["data"] == {} for line in lines(shared_router))


@pytest.mark.statement("9.1", "rfc3339 times are local, with nine digits and a Z whatever the zone is")
@pytest.mark.statement("9.1", "the root of the source is logging.syslog where that is set")
@pytest.mark.statement("9.1", "lines below the level are left out")
@pytest.mark.statement("9.2", "the time of an access line is local, with nine digits and a Z whatever the zone is")
def test_times_are_local_and_say_z(start, backend, monkeypatch):
    monkeypatch.setenv("TZ", "ABC-5")
    before = time.time()
    settings = {"level": "INFO", "syslog": "vcap.gorouter", "format": {"timestamp": "rfc3339"}}
    router = start(logging=settings)
    router.get("nobody.logs.test")
    shown = line_of(router, "nobody.logs.test")["time"]
    stamps = [line["timestamp"] for line in lines(router)]
    assert stamps
    for stamp in (*stamps, shown):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", stamp)
        seconds = calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))
        assert -2 < seconds - 5 * 3600 - before < 60
    assert all(line["source"].split(".")[:2] == ["vcap", "gorouter"] for line in lines(router))
    assert min(line["log_level"] for line in lines(router)) == 1


@pytest.mark.statement("1.4", "an unknown logging.level is a panic on stderr and exit status 2")
def test_an_unknown_level(tmp_path):
    file = tmp_path / "gorouter.yml"
    file.write_text("logging: {level: foo}")
    ended = subprocess.run([program(), "gorouter", "-c", file], capture_output=True, text=True, timeout=DEADLINE)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert 'unrecognized level: "foo"' in ended.stderr


# 9.2 Access line


@pytest.mark.statement("9.2", "all fields of a line, in their order")
@pytest.mark.statement("9.2", "empty texts are shown as a dash in quotes")
@pytest.mark.statement("9.2", "forwarding headers and request id are read from the request as the endpoint gets it")
@pytest.mark.statement("9.2", "app, index and instance are those of the endpoint")
def test_a_line_field_by_field(shared_router, backend):
    app = backend()
    shared_router.register("line.logs.test", app, app="app-1", private_instance_id="i1")
    with shared_router.connect() as client:
        client.sendall(
            b"POST /foo/bar?x=1&y=%20z HTTP/1.1\r\nHost: line.logs.test\r\n"
            b"X-Forwarded-Proto: https\r\nX-Forwarded-For: 9.9.9.9\r\n"
            b"Referer: http://r/\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
        )
        peer = client.getsockname()
        while client.recv(4096):
            pass
    line = line_of(shared_router, "line.logs.test")
    assert float(line.pop("response_time")) >= float(line.pop("gorouter_time")) > 0
    assert re.search(rb"\r\nX-Vcap-Request-Id: (\S+)\r\n", app.seen[0])[1].decode() == line.pop("vcap_request_id")
    line.pop("time")
    assert line == {
        "host": "line.logs.test",
        "method": "POST",
        "uri": "/foo/bar?x=1&y=%20z",
        "proto": "HTTP/1.1",
        "status": "200",
        "request_bytes": "5",
        "response_bytes": "2",
        "referer": "http://r/",
        "user_agent": "-",
        "client": f"127.0.0.1:{peer[1]}",
        "backend": f"127.0.0.1:{app.port}",
        "x_forwarded_for": "9.9.9.9, 127.0.0.1",
        "x_forwarded_proto": "https",
        "app_id": "app-1",
        "app_index": "-",
        "instance_id": "i1",
        "between": "",
        "error": "-",
        "headers": "",
    }


@pytest.mark.statement("9.2", "a request that was never proxied is shown as it came, and spent no time in the router")
def test_a_request_without_a_route(shared_router):
    shared_router.get("noroute.logs.test", "/x", "User-Agent: me")
    line = line_of(shared_router, "noroute.logs.test")
    assert (line["status"], line["error"], line["gorouter_time"]) == ("404", "unknown_route", "0.000000")
    assert (line["x_forwarded_for"], line["user_agent"], line["backend"]) == ("-", "me", "-")
    assert (line["app_id"], line["app_index"], line["instance_id"]) == ("-", "-", "-")
    assert int(line["response_bytes"]) == len(b"404 Not Found: Requested route ('noroute.logs.test') does not exist.\n")


@pytest.mark.statement("9.2", "texts are quoted as Go quotes strings")
@pytest.mark.statement("F", "bytes that are no UTF-8, quotes and controls are escaped; printable Unicode is kept")
def test_texts_are_quoted(shared_router):
    head = 'GET /q HTTP/1.1\r\nHost: quoted.logs.test\r\nConnection: close\r\nUser-Agent: a"b\\c\té\u2028'.encode()
    shared_router.fetch(head + b"\xff\r\n\r\n")
    assert line_of(shared_router, "quoted.logs.test")["user_agent"] == 'a\\"b\\\\c\\té\\u2028\\xff'


@pytest.mark.statement("9.2", "the path is shown as Go parses and escapes it")
@pytest.mark.statement("F", "a lone question mark at the end is kept")
@pytest.mark.parametrize(
    ("target", "shown"), [("/q?", "/q?"), ('/a"b', "/a%22b"), ("/a%2Fb", "/a%2Fb"), ("/a#b?c#d", "/a%23b?c#d")]
)
def test_targets(shared_router, target, shown):
    host = f"{target.encode().hex()}.target.test"
    shared_router.get(host, target)
    assert line_of(shared_router, host)["uri"] == shown


@pytest.mark.statement("9.2", "of an absolute target the path is shown, of CONNECT the authority")
def test_absolute_targets_and_connect(shared_router):
    shared_router.fetch(b"GET http://absolute.logs.test/p?q HTTP/1.1\r\nHost: other.logs.test\r\nConnection: close\r\n\r\n")
    assert line_of(shared_router, "absolute.logs.test")["uri"] == "/p?q"
    shared_router.fetch(b"CONNECT connect.logs.test:443 HTTP/1.1\r\nHost: connect.logs.test:443\r\nConnection: close\r\n\r\n")
    line = line_of(shared_router, "connect.logs.test:443")
    assert (line["method"], line["uri"]) == ("CONNECT", "connect.logs.test:443")


@pytest.mark.statement("9.2", "the body of an error counts when an endpoint failed")
def test_the_body_of_a_502_counts(shared_router, backend):
    shared_router.register("dead.logs.test", backend(lambda connection: connection.recv(4096) and None), app="dead")
    answer = shared_router.get("dead.logs.test")
    line = line_of(shared_router, "dead.logs.test")
    assert (line["status"], line["response_bytes"]) == ("502", str(len(answer.body)))
    assert line["error"].startswith("endpoint_failure (EOF")
    assert line["app_id"] == "dead"


@pytest.mark.statement("9.2", "a client that went away is a 499, whose body counts although nobody got it")
def test_a_499(shared_router, backend):
    def slow(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.recv(1)

    shared_router.register("gone.logs.test", backend(slow))
    with shared_router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: gone.logs.test\r\n\r\n")
        eventually(lambda: shared_router.routes()["gone.logs.test"], "the route")
    line = line_of(shared_router, "gone.logs.test")
    assert line["status"] == "499"
    assert int(line["response_bytes"]) > 0


@pytest.mark.statement("9.2", "semicolons in the target show as an error of the router in the line alone")
def test_semicolons(shared_router, backend):
    shared_router.register("semi.logs.test", backend())
    assert shared_router.get("semi.logs.test", "/?a;b")["X-Cf-Routererror"] is None
    assert line_of(shared_router, "semi.logs.test")["error"] == "deprecated-semicolon-params"
    shared_router.get("semi2.logs.test", "/?a;b")
    assert line_of(shared_router, "semi2.logs.test")["error"] == "unknown_route"


@pytest.mark.statement("9.2", "an upgraded connection has its line at its end, without the bytes of the tunnel")
def test_a_tunnel(shared_router, backend):
    def echo(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        connection.sendall(connection.recv(100))

    shared_router.register("ws.logs.test", backend(echo))
    with shared_router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: ws.logs.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert b" 101 " in client.recv(4096)
        client.sendall(b"ping")
        assert client.recv(100) == b"ping"
    line = line_of(shared_router, "ws.logs.test")
    assert (line["status"], line["request_bytes"], line["response_bytes"]) == ("101", "0", "0")
    assert float(line["gorouter_time"]) < float(line["response_time"])


@pytest.mark.statement("9.2", "no line for what the server itself refuses, for panics, and for responses that were cut")
def test_what_has_no_line(shared_router, backend):
    def half(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    def odd(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 042 Odd\r\nContent-Length: 0\r\n\r\n")

    shared_router.register("half.logs.test", backend(half))
    shared_router.register("panic.logs.test", backend(odd))
    assert shared_router.get("panic.logs.test").status == 502
    eventually(lambda: shared_router.log("panic-check"), "the panic")
    shared_router.fetch(b"GET / HTTP/1.1\r\nHost: bad.logs.test\r\nBad Header\r\n\r\n")
    shared_router.get("half.logs.test")
    shared_router.get("after.logs.test")
    line_of(shared_router, "after.logs.test")
    text = shared_router.access_log.read_text()
    assert "bad.logs.test - " not in text
    assert "half.logs.test - " not in text
    assert "panic.logs.test - " not in text


@pytest.fixture(scope="module")
def telling(shared_nats, tmp_path_factory):
    """A router whose lines show everything that they can, without the client's addresses."""
    folder = tmp_path_factory.mktemp("telling")
    times = ["backend_time", "dial_time", "dns_time", "tls_time"]
    fields = [*times, "failed_attempts", "failed_attempts_time", "local_address", "dial_time", "other"]
    settings = {
        "logging": {"level": "debug", "extra_access_log_fields": fields, "redact_query_params": "hash"},
        "extra_headers_to_log": ["X-Own", "Cookie", "x-own", "X-Forwarded-For", "X-Cf-Instanceid"],
        "tracing": {"enable_w3c": True},
        "backends": {"max_attempts": 2},
        "cfroute": {"start_delay": "0s", "access_log_json": str(folder / "access.json")},
    }
    router = Router(folder, shared_nats, settings)
    yield router
    assert router.stop() == 0


BETWEEN = re.compile(
    r"backend_time:(\S+) dial_time:(\S+) dns_time:(\S+) tls_time:(\S+) failed_attempts:(\d+) failed_attempts_time:(\S+) "
    r'local_address:"(\S+)" '
)


def between(line: dict[str, str]) -> tuple[str, ...]:
    match = BETWEEN.fullmatch(line["between"])
    assert match, line["between"]
    return match.groups()


@pytest.mark.statement("9.2", "extra fields come in the order given, once each, unknown ones not at all")
@pytest.mark.statement("9.2", "what was not measured is a dash: a kept connection was not dialled, an address not looked up")
@pytest.mark.statement("5.5", "times of the attempt that succeeded, and the address that it was made from")
def test_extra_fields(telling, backend):
    seen = []

    def respond(connection: socket.socket) -> None:
        seen.append("{}:{}".format(*connection.getpeername()))
        while connection.recv(4096):
            connection.sendall(OK)

    telling.register("fields.logs.test", backend(respond))
    telling.get("fields.logs.test")
    spent, dial, dns, tls, failed, failed_time, local = between(line_of(telling, "fields.logs.test"))
    assert 0 < float(dial) < float(spent) < 5
    assert (dns, tls, failed, failed_time, local) == ('"-"', '"-"', "0", '"-"', seen[0])
    telling.get("fields.logs.test")
    spent, dial, dns, tls, failed, failed_time, local = between(line_of(telling, "fields.logs.test", 2))
    assert float(spent) > 0
    assert (dial, dns, tls, failed, failed_time, local) == ('"-"', '"-"', '"-"', "0", '"-"', seen[0])


@pytest.mark.statement("9.2", "names of endpoints are looked up, and the time for it is shown")
def test_the_time_of_a_look_up(telling, backend):
    telling.nats.publish("router.register", {"host": "localhost", "port": backend().port, "uris": ["named.logs.test"]})
    eventually(lambda: telling.get("named.logs.test").status == 200, "the route")
    assert 0 <= float(between(line_of(telling, "named.logs.test"))[2]) < 5


@pytest.mark.statement("9.2", "failed attempts are counted and timed, apart from the one that succeeded")
@pytest.mark.statement("5.5", "a failed attempt is logged with how far it got, and how long that took")
def test_failed_attempts(telling, backend):
    dead = backend()
    telling.register("retried.logs.test", dead)
    telling.register("retried.logs.test", backend())
    dead.close()
    while not telling.log("backend-endpoint-failed"):
        assert telling.get("retried.logs.test").status == 200

    def retried() -> dict[str, str] | None:
        line = line_of(telling, "retried.logs.test")
        return line if "failed_attempts:1" in line["between"] else None

    line = eventually(retried, "the line of the retried request")
    spent, _, _, _, failed, failed_time, local = between(line)
    assert failed == "1"
    assert float(failed_time) > 0
    assert 0 < float(spent) < float(line["response_time"])
    assert local.startswith("127.0.0.1:")
    [data] = telling.log("backend-endpoint-failed")
    assert 0 <= data["dial-time"] < 5
    assert (data["dns-lookup-time"], data["tls-handshake-time"], data["local-address"]) == (-1, -1, "")


@pytest.mark.statement("9.2", "without a successful attempt there is no backend time")
def test_all_attempts_failed(telling, backend):
    dead = backend()
    telling.register("all-dead.logs.test", dead)
    dead.close()
    assert telling.get("all-dead.logs.test").status == 502
    spent, dial, dns, tls, failed, failed_time, local = between(line_of(telling, "all-dead.logs.test"))
    assert (spent, dial, dns, tls, failed, local) == ('"-"', '"-"', '"-"', '"-"', "1", "-")
    assert float(failed_time) > 0


@pytest.mark.statement("9.2", "extra headers: once each whatever their case, the first value, tracing headers behind")
@pytest.mark.statement("9.2", "extra headers are those that came, without what is added for the endpoint")
def test_extra_headers(telling, backend):
    telling.register("headers.logs.test", backend())
    telling.get("headers.logs.test", "/", 'X-Own: "1"', "X-Own: 2", "X-Forwarded-For: 9.9.9.9", "X-CF-InstanceID: mine")
    headers = line_of(telling, "headers.logs.test")["headers"]
    expected = r' x_own:"\\"1\\"" cookie:"-" x_forwarded_for:"9\.9\.9\.9" x_cf_instanceid:"-" traceparent:"00-\w{32}-\w{16}-01" '
    assert re.fullmatch(expected + r'tracestate:"gorouter=\w{16}"', headers), headers


@pytest.mark.statement("9.2", "extra headers of requests that never got to an endpoint")
def test_extra_headers_without_a_route(telling):
    telling.get("noheaders.logs.test", "/", "Cookie: a=b")
    assert ' x_own:"-" cookie:"a=b" x_forwarded_for:"-" ' in line_of(telling, "noheaders.logs.test")["headers"]


@pytest.mark.statement("9.3", "hash shows the SHA-1 of the query, of GET alone")
def test_hashed_queries(telling):
    telling.get("hashed.logs.test", "/p?secret=1")
    assert line_of(telling, "hashed.logs.test")["uri"] == f"/p?hash={hashlib.sha1(b'secret=1').hexdigest()}"
    telling.get("hashed.logs.test", "/p?secret=1", method="DELETE")
    assert line_of(telling, "hashed.logs.test", 2)["uri"] == "/p?secret=1"


def test_the_same_as_json(telling, backend):
    telling.register("json.logs.test", backend(), app="app-1")
    telling.get("json.logs.test", "/x", "X-Own: 1")
    line = line_of(telling, "json.logs.test")
    file = telling.access_log.with_name("access.json")
    shown = next(each for text in file.read_text().splitlines() if (each := json.loads(text))["host"] == "json.logs.test")
    assert (shown["time"], shown["vcap_request_id"]) == (line["time"], line["vcap_request_id"])
    assert (shown["status"], shown["app_id"], shown["dns_time"]) == (200, "app-1", None)
    assert f"{shown['dial_time']:.6f}" == between(line)[1]
    assert shown["headers"]["x_own"] == "1"


@pytest.mark.statement("9.2", "the addresses of clients can be left out")
@pytest.mark.statement("9.3", "all leaves queries out, of GET alone")
@pytest.mark.statement("4.1", "the headers on the app are only removed where the server's events are sent")
def test_what_is_left_out(start, backend):
    logging = {"disable_log_source_ip": True, "disable_log_forwarded_for": True, "redact_query_params": "all"}
    router = start(logging=logging, send_http_start_stop_server_event=False, extra_headers_to_log=["X-CF-ApplicationID"])
    router.register("private.logs.test", backend())
    router.get("private.logs.test", "/p?secret", "X-CF-ApplicationID: mine")
    line = line_of(router, "private.logs.test")
    assert (line["client"], line["x_forwarded_for"], line["uri"]) == ("-", "-", "/p")
    assert line["headers"] == ' x_cf_applicationid:"mine"'
    router.get("private.logs.test", "/p?secret", method="POST")
    assert line_of(router, "private.logs.test", 2)["uri"] == "/p?secret"


# The file


@pytest.mark.statement("9.2", "the file is not opened again: who rotates it by renaming finds the next lines there as well")
@pytest.mark.statement("1.2", "the file is made readable by all, or appended to")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_nothing_is_lost_at_the_end(start, end):
    router = start()
    moved = router.access_log.with_name("access.log.1")
    router.get("before.logs.test")
    eventually(lambda: router.access_log.read_text(), "the first line")
    router.access_log.rename(moved)
    router.get("last.logs.test")
    assert router.stop(end) == 0
    assert [text.split()[0] for text in moved.read_text().splitlines()] == ["before.logs.test", "last.logs.test"]
    assert not router.access_log.exists()
    assert moved.stat().st_mode & 0o777 == 0o644 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_a_request_that_the_end_of_the_router_cuts_off_has_no_line(start, backend):
    asked = threading.Event()

    def slow(connection: socket.socket) -> None:
        connection.recv(4096)
        asked.set()
        connection.recv(1)

    router = start()
    router.register("cut.logs.test", backend(slow))
    router.get("done.logs.test")
    with router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: cut.logs.test\r\n\r\n")
        assert asked.wait(DEADLINE)
        assert router.stop() == 0
    assert [text.split()[0] for text in router.access_log.read_text().splitlines()] == ["done.logs.test"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.statement("9.2", "a full disk costs lines, not requests")
def test_a_full_disk(start, backend):
    router = start(access_log={"file": "/dev/full"})
    router.register("full.logs.test", backend())
    assert router.get("full.logs.test").status == 200
    error = eventually(lambda: router.log("error-emitting-access-log-to-writer-accesslog"), "the error")
    assert error == [{"error": "write /dev/full: no space left on device"}]
    assert router.get("full.logs.test").status == 200


def fails_to_start(tmp_path: Path, settings: str) -> list[dict]:
    """The log of a router that must not start; exit status 1."""
    file = tmp_path / "gorouter.yml"
    file.write_text(settings)
    ended = subprocess.run([program(), "gorouter", "-c", file], capture_output=True, text=True, timeout=DEADLINE)
    assert ended.returncode == 1, ended
    return [json.loads(text) for text in ended.stdout.splitlines()]


@pytest.mark.statement("1.4", "an access log that cannot be opened is two lines and exit status 1")
def test_a_file_that_cannot_be_opened(tmp_path):
    told = fails_to_start(tmp_path, f"access_log: {{file: '{tmp_path}/missing/access.log'}}")
    error = f"open {tmp_path}/missing/access.log: no such file or directory"
    assert [line["message"] for line in told][-2:] == ["error-creating-accesslog-file", "error-creating-access-logger"]
    assert [line["data"]["error"] for line in told[-2:]] == [error, error]


@pytest.mark.statement("1.4", "a syslog server that refuses is two lines and exit status 1")
def test_a_syslog_server_that_refuses(tmp_path):
    port = free_port()
    settings = f"{{access_log: {{enable_streaming: true}}, logging: {{syslog_network: tcp, syslog_addr: '127.0.0.1:{port}'}}}}"
    told = fails_to_start(tmp_path, settings)
    error = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert [line["message"] for line in told][-2:] == ["error-creating-syslog-writer", "error-creating-access-logger"]
    assert [line["data"]["error"] for line in told[-2:]] == [error, error]


@pytest.mark.statement("1.4", "an empty address of metron is refused with exit status 1")
def test_no_address_of_metron(tmp_path):
    told = fails_to_start(tmp_path, "logging: {metron_address: ''}")
    assert told[-1]["message"] == "dropsonde-initialize-error"


# Syslog

SYSLOG = re.compile(
    rb"<14>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d) (?P<host>\S+) (?P<tag>\S*) (?P<pid>\d+) - \xef\xbb\xbf(?P<line>.*)"
)


@pytest.mark.statement("9.2", "over UDP a line is one datagram: priority, time in seconds, host, tag, process, byte order mark")
@pytest.mark.statement("9.2", "syslog_truncate cuts the line, without its frame, to so many bytes")
@pytest.mark.parametrize("truncate", [0, 12])
def test_syslog_over_udp(start, truncate):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(DEADLINE)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        logging = {"syslog": "vcap.gorouter", "syslog_addr": address, "syslog_truncate": truncate}
        router = start(logging=logging, access_log={"enable_streaming": True})
        router.get("udp.syslog.test")
        match = SYSLOG.fullmatch(server.recv(65536))
    assert match
    assert (match["host"], match["tag"]) == (socket.gethostname().encode(), b"vcap.gorouter")
    assert int(match["pid"]) == router.process.pid
    if truncate:
        assert match["line"] == b"udp.syslog.t"
    else:
        assert LINE.fullmatch(match["line"].decode())


@pytest.mark.statement("9.2", "over TCP each message ends with a newline; what waits is sent at the end")
@pytest.mark.statement("9.2", "a write error is logged, and the connection is not made again")
def test_syslog_over_tcp(start):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        logging = {"syslog_addr": address, "syslog_network": "tcp"}
        router = start(logging=logging, access_log={"enable_streaming": True})
        peer, _ = server.accept()
        with peer, peer.makefile("rb") as reader:
            for number in range(3):
                router.get(f"tcp{number}.logs.test")
            texts = [SYSLOG.fullmatch(reader.readline().removesuffix(b"\n"))["line"] for _ in range(3)]
        assert [text.split()[0] for text in texts] == [b"tcp0.logs.test", b"tcp1.logs.test", b"tcp2.logs.test"]

        def error() -> list[dict]:
            router.get("lost.logs.test")
            return router.log("error-emitting-access-log-to-writer-syslog")

        assert eventually(error, "the error")[0]["error"] in ("broken pipe", "connection reset by peer")
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_nothing_is_written_where_nothing_is_asked_for(start, tmp_path):
    """And there is nobody to complain to."""
    router = start(access_log={"file": ""}, logging={"level": "debug"})
    router.get("quiet.logs.test")
    with contextlib.suppress(FileNotFoundError):
        assert router.access_log.read_text() == ""
    assert router.log("dropping-loggregator-access-log") == []
