"""How the API is called: what becomes of warnings, tokens, pages, jobs and errors."""

import base64
import gc
import json
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cfroute.cli.access.answers import UnexpectedAnswer
from cfroute.cli.access.api import Api, ApiError
from cfroute.cli.access.tokens import Tokens
from cfroute.cli.access.transport import Links
from cfroute.cli.settings import Settings, load
from cfroute.errors import CfrouteError, NotRunning, TimedOut
from cfroute.home import Home
from cfroute.testing.clock import ManualClock

Answer = Callable[[Request], Response]


def jwt(expires: object, user: str = "admin") -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires, "user_name": user}).encode()).decode().rstrip("=")
    return f"e30.{claims}.signature"


class Server:
    """A Cloud Controller and UAA that answer as they are told; `warnings` is what reached the user."""

    def __init__(self, home: Home) -> None:
        self.clock = ManualClock(now=1000.0)
        self.answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.tokens: list[str] = []
        self.warnings: list[str] = []
        self.granted: dict[str, Any] = {}
        self.settings = Settings()
        self.home = home
        app = Starlette(
            routes=[
                Route("/oauth/token", self.token, methods=["POST"]),
                Route("/{path:path}", self.answer, methods=["GET", "POST", "DELETE"]),
            ]
        )
        self.client = httpx.AsyncClient(base_url="http://api.test", transport=httpx.ASGITransport(app))
        self.api = self.connected(self.client)

    def connected(self, client: httpx.AsyncClient, uaa: httpx.AsyncClient | None = None) -> Api:
        tokens = Tokens(uaa or client, self.settings, self.home, "secret", self.clock)
        return Api(Links(client, uaa or client), tokens, self.clock, self.warnings.append)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        if form["password"] != "secret":
            return JSONResponse({"error": "unauthorized"}, 401)
        self.tokens.append(jwt(self.clock.now() + 600))
        return JSONResponse(self.granted or {"access_token": self.tokens[-1]})

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answers[request.url.path](request)


@pytest.fixture
def server(home: Home) -> Server:
    return Server(home)


def errors(status: int, *details: str, title: str = "CF-UnprocessableEntity") -> Answer:
    body = {"errors": [{"code": 10008, "title": title, "detail": detail} for detail in details]}
    return lambda request: JSONResponse(body, status)


def test_a_token_is_kept_until_it_is_about_to_expire(server: Server) -> None:
    server.answers["/v3"] = lambda request: JSONResponse({})
    server.api.get("/v3")
    server.api.get("/v3")
    assert len(server.tokens) == 1
    assert load(server.home).access_token == server.tokens[0]
    assert server.home.cli.stat().st_mode & 0o777 == 0o600
    server.clock.advance(541)
    server.api.get("/v3")
    assert len(server.tokens) == 2
    assert server.requests[-1].headers["authorization"] == f"bearer {server.tokens[-1]}"


def test_a_token_that_is_refused_is_replaced_once(server: Server) -> None:
    server.settings.access_token = jwt(5000, "of another foundation")

    def picky(request: Request) -> Response:
        return JSONResponse({}, 200 if request.headers["authorization"].split()[1] in server.tokens else 401)

    server.answers["/v3"] = picky
    assert server.api.get("/v3") == {}
    assert server.api.user == "admin"
    server.answers["/v3"] = errors(401, "Invalid Auth Token")
    with pytest.raises(ApiError, match="Invalid Auth Token"):
        server.api.get("/v3")


def test_the_uaa_refuses(server: Server) -> None:
    server.api._tokens._password = "wrong"
    with pytest.raises(CfrouteError, match="the UAA gives no token: 401"):
        server.api.get("/v3")


def test_all_pages_of_a_list_are_read_with_what_they_include(server: Server) -> None:
    def page(request: Request) -> Response:
        last = request.query_params.get("page") == "2"
        following = None if last else {"href": "http://api.test/v3/routes?page=2"}
        number = 2 if last else 1
        included = {"spaces": [{"guid": number}]}
        return JSONResponse({"pagination": {"next": following}, "resources": [{"n": number}], "included": included})

    server.answers["/v3/routes"] = page
    found = server.api.page("/v3/routes", hosts="", names=["a", "b,c"], labels=None)
    assert found == ([{"n": 1}, {"n": 2}], {"spaces": [{"guid": 1}, {"guid": 2}]})
    assert dict(server.requests[0].query_params) == {"per_page": "5000", "hosts": "", "names": "a,b%2Cc"}


def test_warnings_reach_the_user(server: Server) -> None:
    header = {"X-Cf-Warnings": "has%20no%20effect,second"}
    server.answers["/v3"] = lambda request: JSONResponse({}, headers=header)
    server.api.get("/v3")
    assert server.warnings == ["has no effect", "second"]


def job(*states: str, operation: str = "app.delete") -> Answer:
    left = list(states)

    def answer(request: Request) -> Response:
        state = left.pop(0) if len(left) > 1 else left[0]
        failures = [{"detail": "it cannot be"}] if state == "FAILED" else []
        told = {"guid": "j", "operation": operation, "state": state, "errors": failures, "warnings": [{"detail": "careful"}]}
        return JSONResponse(told)

    return answer


def accepted(request: Request) -> Response:
    return Response(status_code=202, headers={"Location": "http://api.test/v3/jobs/j"})


def test_a_job_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(server.api._transport, "sleep", slept.append)
    server.answers |= {"/v3/apps/a": accepted, "/v3/jobs/j": job("PROCESSING", "POLLING", "COMPLETE")}
    assert server.api.change("DELETE", "/v3/apps/a") is not None
    assert slept == [0.05, 0.1]
    assert server.warnings == ["careful"]


@pytest.mark.parametrize(
    ("operation", "told"), [("app.delete", "Job (j) failed: it cannot be"), ("space.apply_manifest", "it cannot be")]
)
def test_a_job_that_failed_says_which_it_was_but_for_a_manifests(server: Server, operation: str, told: str) -> None:
    server.answers |= {"/v3/apps/a": accepted, "/v3/jobs/j": job("FAILED", operation=operation)}
    with pytest.raises(ApiError) as refusal:
        server.api.change("DELETE", "/v3/apps/a")
    assert refusal.value.message == told


def test_several_errors_stand_on_lines_of_their_own(server: Server) -> None:
    server.answers["/v3/apps"] = errors(422, "one", "two")
    with pytest.raises(ApiError) as refusal:
        server.api.post("/v3/apps", {})
    assert refusal.value.message == "one\ntwo"
    assert refusal.value.says(title="CF-UnprocessableEntity")
    assert refusal.value.says(detail="tw")
    assert not refusal.value.says(title="CF-NotFound", detail="three")
    assert refusal.value.details["status"] == 422


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (errors(404, "Unknown request"), "API endpoint not found at 'http://api.test/v3/x'"),
        (errors(404, "App not found"), "App not found"),
        (
            lambda request: PlainTextResponse("oops", 502),
            "Error unmarshalling the following into a cloud controller error: oops",
        ),
        (
            lambda request: JSONResponse(["oops"], 500),
            'Error unmarshalling the following into a cloud controller error: ["oops"]',
        ),
    ],
)
def test_what_an_error_says(server: Server, answer: Answer, message: str) -> None:
    server.answers["/v3/x"] = answer
    with pytest.raises(ApiError) as refusal:
        server.api.get("/v3/x")
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("failure", "error", "message"),
    [
        (httpx.ConnectError("refused"), NotRunning, "uaa does not answer: refused"),
        (httpx.ReadError(""), NotRunning, "uaa does not answer: it hung up"),
        (httpx.ReadTimeout("slow"), TimedOut, "uaa did not answer within 60 s"),
    ],
)
def test_a_component_that_does_not_answer_is_named(
    server: Server, failure: Exception, error: type[Exception], message: str
) -> None:
    def fail(request: httpx.Request) -> Any:
        raise failure

    client = httpx.AsyncClient(base_url="http://api.test", transport=httpx.MockTransport(fail))
    with pytest.raises(error, match=message):
        server.connected(client).get("/v3")


class Restarted:
    """An API that is away: it hangs up on so many requests."""

    def __init__(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        self.missing = self.asked = 0
        self.failure: httpx.TransportError = httpx.ConnectError("refused")
        self.client = httpx.AsyncClient(base_url="http://api.test", transport=httpx.MockTransport(self._answer))
        self.api = server.connected(self.client, server.client)
        monkeypatch.setattr(self.api._transport, "sleep", server.clock.advance)

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.missing:
            self.missing -= 1
            raise self.failure
        return httpx.Response(200, json={})


def test_who_has_answered_may_be_restarted_meanwhile(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Restarted(server, monkeypatch)
    away.missing = 1
    with pytest.raises(NotRunning):  # never seen: nobody knows whether it will ever be there
        away.api.get("/v3")
    away.api.get("/v3")
    away.missing = 10
    assert away.api.get("/v3") == {}
    assert away.asked == 13


def test_what_a_supervisor_sees_to_is_waited_for_from_the_first_request_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Restarted(server, monkeypatch)
    away.missing = 10
    tokens = Tokens(server.client, server.settings, server.home, "secret", server.clock)
    api = Api(Links(away.client, server.client, supervised=True), tokens, server.clock, server.warnings.append)
    monkeypatch.setattr(api._transport, "sleep", server.clock.advance)
    assert api.post("/v3/apps", {}) == {}


def test_nobody_is_waited_for_for_ever_and_only_reads_are_repeated(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Restarted(server, monkeypatch)
    away.api.get("/v3")
    away.missing = 1000
    began = server.clock.monotonic()
    with pytest.raises(NotRunning):
        away.api.get("/v3")
    assert 5 <= server.clock.monotonic() - began < 6
    asked, away.failure = away.asked, httpx.ReadError("")  # it may have been done, and nobody has heard of it
    with pytest.raises(NotRunning):
        away.api.post("/v3/apps", {})
    assert away.asked == asked + 1


def test_a_request_that_sigterm_breaks_off_leaves_nothing_to_complain_about(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def terminated(number: int, frame: Any) -> None:
        raise SystemExit(143)

    def hang() -> None:
        with listener.accept()[0] as connection:
            connection.recv(1000)
            api._transport._runner.get_loop().call_soon_threadsafe(signal.raise_signal, signal.SIGTERM)
            connection.recv(1000)

    signal.signal(signal.SIGTERM, terminated)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        api = server.connected(httpx.AsyncClient(base_url=url, trust_env=False), server.client)
        hanging = threading.Thread(target=hang)
        hanging.start()
        with pytest.raises(SystemExit):
            api.get("/v3")
        api.close()
        hanging.join()
    gc.collect()  # of a failure that nobody saw, asyncio complains when the task is collected
    assert not caplog.records


def test_damaged_settings_are_told(home: Home, server: Server) -> None:
    home.create()
    home.cli.write_text("{")
    with pytest.raises(CfrouteError, match=r"cli\.json"):
        load(home)


def says(server: Server, path: str, content: object, status: int = 200) -> None:
    """Have the server answer requests for the path with this JSON, or with these bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    server.answers[path] = lambda _: Response(body, status, media_type="application/json")


NONSENSE = (
    b"",
    b"<html>503</html>",
    b'{"resources": [',
    b"\xff",
    b"[" * 100_000,
    None,
    5,
    "text",
    [],
    {},
    {"resources": {"a": 1}},
)


@pytest.mark.parametrize("content", NONSENSE, ids=lambda content: repr(content)[:20])
def test_what_is_no_list_is_told_in_one_line(server: Server, content: object) -> None:
    says(server, "/v3/apps", content)
    for ask in (server.api.list, server.api.first):
        with pytest.raises(UnexpectedAnswer, match=r"^GET http://api\.test/v3/apps: the answer cannot be read: [^\n]+$"):
            ask("/v3/apps")


@pytest.mark.parametrize(
    "content",
    [*NONSENSE, {"prompts": None}, {"prompts": {"username": "text"}}, {"prompts": {"username": ["text"]}}],
    ids=lambda content: repr(content)[:40],
)
def test_what_is_no_prompt(server: Server, content: object) -> None:
    says(server, "/login", content)
    with pytest.raises(UnexpectedAnswer, match=r"^GET http://api\.test/login: the answer cannot be read: [^\n]+$"):
        server.api.prompts()


def test_a_list_without_end(server: Server) -> None:
    again = {"href": "http://api.test/v3/apps?page=2"}
    says(server, "/v3/apps", {"resources": [], "pagination": {"next": again}})
    with pytest.raises(UnexpectedAnswer, match="its next page is one that was there before"):
        server.api.list("/v3/apps")


def test_a_job_that_is_in_no_state_that_jobs_have(server: Server) -> None:
    says(server, "/v3/jobs/1", {"state": "DANCING"})
    with pytest.raises(UnexpectedAnswer, match="no job has the state 'DANCING'"):
        server.api.wait("http://api.test/v3/jobs/1")


@pytest.mark.parametrize("token", [None, 5, "", "opaque", "a.b.c", "e30.e30.e30", jwt("soon"), "a.bnVsbA.c"])
def test_what_is_no_token(server: Server, token: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from the UAA nor in the settings, where it is as good as none."""
    says(server, "/v3/apps", {"resources": [], "pagination": {}})
    server.settings.access_token = str(token)
    assert server.api.list("/v3/apps") == []
    monkeypatch.setattr(server, "granted", {"access_token": token})
    server.settings.access_token = ""
    with pytest.raises(UnexpectedAnswer, match="it has no token that says until when it is good"):
        server.api.list("/v3/apps")
