"""The answers that the router makes itself: texts, headers, limits, and pages from a template."""

import re
import socket
import subprocess

import pytest
import yaml

from ..program import program

GUID = "6b3e81d5-409e-4fc5-728c-32a791a56d7d"
OTHER = "0e11a2b3-409e-4fc5-728c-32a791a56d7d"
PAGE = """<!DOCTYPE html><title>{{.Status}} {{.StatusText}}</title>
{{- /* says why */ -}}
{{if eq .Status 404}}<p title="{{.Message}}">{{.Message}}</p>{{else}}<p>{{.Header.Get "X-Cf-RouterError"}}</p>{{end}}"""


@pytest.mark.statement(
    "4.7", "an error answer is plain text with code and reason, nosniff and a router error; a Connection header is not kept"
)
def test_unknown_route(shared_router):
    answer = shared_router.get("Odd.Host:99")
    assert answer.body == b"404 Not Found: Requested route ('Odd.Host:99') does not exist.\n"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert (answer["X-Cf-Routererror"], answer["Cache-Control"]) == ("unknown_route", "no-cache, no-store")


@pytest.mark.statement(
    "4.7", "an empty Host, or the client's own address, is refused with 400 empty_host, which may be kept for 2 s"
)
@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.0\r\n", b"GET / HTTP/1.1\r\nHost:\r\n", b"GET / HTTP/1.1\r\nHost: 127.0.0.1:9\r\n"]
)
def test_empty_host(shared_router, head):
    answer = shared_router.fetch(head + b"Connection: close\r\n\r\n")
    assert (answer.status, answer["X-Cf-Routererror"], answer["Cache-Control"]) == (400, "empty_host", "public,max-age=2")
    assert answer.body == b"400 Bad Request: Request had empty Host header\n"


@pytest.mark.statement("4.7", "every code but 404 logs what the answer says")
def test_what_is_logged(shared_router):
    shared_router.get("127.0.0.1")
    shared_router.get("nobody-logs-this.test")
    bodies = [data["body"] for data in shared_router.log("status")]
    assert "400 Bad Request: Request had empty Host header" in bodies
    assert not any("nobody-logs-this" in body for body in bodies)


@pytest.fixture(scope="module")
def surgical(module_routers):
    """A route with two instances of an app, of two processes."""
    router = module_routers.start()
    apps = [module_routers.backend(), module_routers.backend()]
    for index, app in enumerate(apps):
        tags = {"process_id": GUID}
        names = {"private_instance_index": str(index), "private_instance_id": f"i{index}"}
        router.register("surgical.test", app, app=GUID, tags=tags, **names)
    return router, apps


def error(answer) -> tuple[int, str, str, str]:
    return answer.status, answer["X-Cf-Routererror"], answer["Cache-Control"], answer.body.decode().partition(": ")[2].strip()


@pytest.mark.statement("4.7", "X-CF-App-Instance and X-CF-Process-Instance choose an instance, and are refused in another form")
@pytest.mark.statement("4.7", "an instance that is not there gets 400 unknown_route, with a text of its own for each header")
@pytest.mark.parametrize(
    ("headers", "code", "message"),
    [
        (["X-CF-App-Instance: x"], "invalid_cf_app_instance_header", "Invalid X-CF-App-Instance Header"),
        ([f"X-CF-App-Instance: {GUID}:"], "invalid_cf_app_instance_header", "Invalid X-CF-App-Instance Header"),
        ([f"X-CF-App-Instance: {GUID.upper()}:0"], "invalid_cf_app_instance_header", "Invalid X-CF-App-Instance Header"),
        ([f"X-CF-Process-Instance: {GUID}:x"], "invalid_cf_process_instance_header", "Invalid X-CF-Process-Instance Header"),
        ([f"X-CF-App-Instance: {GUID}:7"], "unknown_route",
         f"Requested instance ('7') with guid ('{GUID}') does not exist for route ('surgical.test')"),
        ([f"X-CF-Process-Instance: {OTHER}:0"], "unknown_route",
         f"Requested instance ('0') with process guid ('{OTHER}') does not exist for route ('surgical.test')"),
        ([f"X-CF-Process-Instance: {OTHER}"], "unknown_route",
         f"Requested instance with process guid ('{OTHER}') does not exist for route ('surgical.test')"),
        ([f"X-CF-App-Instance: {GUID}:7", f"X-CF-Process-Instance: {GUID}:0"], "unknown_route",
         f"Requested instance ('0') with process guid ('{GUID}') does not exist for route ('surgical.test')"),
        ([f"X-CF-App-Instance: {GUID}:7", "X-CF-Process-Instance: odd"], "unknown_route",
         "Requested instance with process guid ('') does not exist for route ('surgical.test')"),
    ],
)  # fmt: skip
def test_instances_that_cannot_be_had(surgical, headers, code, message):
    assert error(surgical[0].get("surgical.test", "/", *headers)) == (400, code, "no-cache, no-store", message)


@pytest.mark.statement("4.7", "the form of the headers is looked at before the route")
def test_form_before_route(shared_router):
    assert shared_router.get("nowhere.test", "/", "X-CF-App-Instance: x")["X-Cf-Routererror"] == "invalid_cf_app_instance_header"
    answer = shared_router.get("nowhere.test", "/", f"X-CF-App-Instance: {GUID}:0")
    assert (answer.status, answer["X-Cf-Routererror"]) == (400, "unknown_route")


@pytest.mark.statement("4.7", "the app header has priority; a process without an index is any of its instances")
@pytest.mark.statement("4.6", "X-CF-App-Instance is taken off, X-CF-Process-Instance is passed on")
def test_instances(surgical):
    router, apps = surgical
    for app in apps:
        app.seen.clear()
    for _ in range(3):
        assert router.get("surgical.test", "/", f"X-CF-App-Instance: {GUID}:1", f"X-CF-Process-Instance: {GUID}:0").status == 200
    assert (len(apps[0].seen), len(apps[1].seen)) == (0, 3)
    assert b"X-Cf-App-Instance" not in apps[1].seen[0]
    assert f"X-Cf-Process-Instance: {GUID}:0".encode() in apps[1].seen[0]
    for _ in range(8):
        router.get("surgical.test", "/", f"X-CF-Process-Instance: {GUID}")
    assert apps[0].seen
    assert len(apps[1].seen) > 3


@pytest.mark.statement("4.7", "headers that are too large or too many: 431 without a body, and the access line has the app")
def test_header_limits(start, backend):
    router = start(max_request_header_bytes=2000, max_request_headers=12)
    app = backend()
    router.register("limits.test", app, app="app-1")
    assert router.get("limits.test", "/", f"X-Large: {'x' * 1500}").status == 200
    for headers in ([f"X-Large: {'x' * 1900}"], [f"X-{number}: 1" for number in range(12)], [f"X-Large: {'x' * 9000}"]):
        answer = router.get("limits.test", "/", *headers)
        assert (answer.status, answer.body, answer["X-Cf-Routererror"]) == (431, b"", "max-request-size-exceeded")
    assert len(app.seen) == 1
    line = router.access_lines(4)[-1]
    assert " 431 0 0 " in line
    assert 'app_id:"app-1"' in line
    assert router.get("nowhere.test", "/", f"X-Large: {'x' * 1900}").status == 404


@pytest.mark.statement(
    "4.7", "the size that is limited is that of request line, host and header lines, with what the router has added"
)
@pytest.mark.statement("A", "B's rule: method, URI, protocol and 4, host and 8, and name, value and 4 for each line")
def test_the_size_to_the_byte(start, backend):
    router = start(max_request_header_bytes=500)
    router.register("exact.test", backend())
    lines = {"Connection": "close", "X-Vcap-Request-Id": GUID, "X-Pad": ""}
    size = len("GET/HTTP/1.1") + 4 + len("exact.test") + 8 + sum(len(name) + len(value) + 4 for name, value in lines.items())
    assert router.get("exact.test", "/", f"X-Pad: {'x' * (499 - size)}").status == 200
    assert router.get("exact.test", "/", f"X-Pad: {'x' * (500 - size)}").status == 431


@pytest.mark.statement("5.5", "a response with too many headers is not passed on: 502, one attempt, and a line in the log")
def test_too_many_response_headers(start, backend):
    router = start(max_response_headers=3, backends={"max_attempts": 3})
    app = backend(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: 1\r\nA: 2\r\nB: 3\r\n\r\n")
    router.register("many.test", app)
    answer = router.get("many.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (Too many response headers)")
    assert len(app.seen) == 1
    assert router.log("backend-too-many-response-headers")[0]["route-endpoint"]["Addr"] == f"127.0.0.1:{app.port}"


@pytest.mark.statement("4.7", "html_error_template_file: the router's errors are pages, with text escaped for its place")
@pytest.mark.statement("4.7", "the template is not used for failures of endpoints")
def test_pages(start, backend, tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    router = start(html_error_template_file=str(tmp_path / "page.html"))
    answer = router.get("<b>")
    assert answer.status == 400  # no host that can be looked for
    answer = router.get("no'host.test")
    message = "Requested route (&#39;no&#39;host.test&#39;) does not exist."
    assert answer.body.decode() == f'<!DOCTYPE html><title>404 Not Found</title><p title="{message}">{message}</p>'
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("text/html; charset=utf-8", "nosniff")
    assert answer["X-Cf-Routererror"] == "unknown_route"
    assert router.get("127.0.0.1").body.endswith(b"<p>empty_host</p>")
    gone = backend()
    gone.close()
    router.register("no-page.test", gone)
    assert router.get("no-page.test").body == b"502 Bad Gateway: Registered endpoint failed to handle the request.\n"


@pytest.mark.statement("4.7", "a page that cannot be rendered: the plain text without its line end, and render-error-failed")
def test_pages_that_fail(start, tmp_path):
    (tmp_path / "page.html").write_text("<p>{{.Nothing}}</p>")
    router = start(html_error_template_file=str(tmp_path / "page.html"))
    answer = router.get("nowhere.test")
    assert answer.body == b"404 Not Found: Requested route ('nowhere.test') does not exist."
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "Nothing" in router.log("render-error-failed")[0]["error"]


@pytest.mark.statement("1.4", "An HTML template that is missing or bad, exit status 1")
@pytest.mark.statement("4.7", "a template that is missing or beyond what is supported ends the start with one line and status 1")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "Could not read HTML error template file: open "),
        ("{{range .Header}}{{end}}", 'template: error-message:1: function "range" not defined, or not supported'),
        ("<a href='{{.Message}}'>", "html/template:error-message:1: actions in a URL are not supported"),
    ],
)
def test_templates_that_are_refused(tmp_path, text, problem):
    page, config = tmp_path / "page.html", tmp_path / "gorouter.yml"
    if text is not None:
        page.write_text(text)
    config.write_text(yaml.safe_dump({"html_error_template_file": str(page), "cfroute": {"start_delay": "0s"}}))
    ended = subprocess.run([program(), "gorouter", "-c", config], capture_output=True, timeout=30, text=True, check=False)
    assert ended.returncode == 1
    lines = [line for line in ended.stdout.splitlines() if '"log_level":3' in line]
    assert len(lines) == 1
    assert '"new-html-error-template-from-file"' in lines[0]
    assert re.search(re.escape(problem).replace('"', r'\\"'), lines[0])


def below_100(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.statement("4.1", "the panic guard: 502 unknown_failure without a body, a line in the log, none in the access log")
@pytest.mark.statement("4.8", "a status below 100 ends in the panic guard")
def test_panics(start, backend):
    router = start()
    router.register("panicking.test", backend(below_100))
    answer = router.get("panicking.test")
    assert (answer.status, answer.body, answer["X-Cf-Routererror"]) == (502, b"", "unknown_failure")
    panic = router.log("panic-check")[0]
    assert (panic["host"], panic["error"]) == ("panicking.test", "invalid WriteHeader code 99")
    assert panic["stacktrace"]
    router.get("after.test")
    assert "panicking.test" not in "".join(router.access_lines(1))
