"""Asking a broker over real sockets: what it is sent, where redirects lead, and what happens when it does not answer."""

import asyncio
import contextlib
import json
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cfroute import certificates, daemon
from cfroute.cloud_controller.brokers import client as broker_client
from cfroute.cloud_controller.brokers import requests
from cfroute.cloud_controller.brokers.client import BrokerClient
from cfroute.cloud_controller.brokers.outcomes import TIMED_OUT, UNREACHABLE, Failed, InProgress, Outcome, Succeeded
from cfroute.cloud_controller.brokers.requests import Place, Request, Subject
from cfroute.http_client import Client

PLACE = Place("o", "local", "s", "dev")
SUBJECT = Subject("i/1", "limits", "service", "plan", PLACE)
HEADERS = requests.headers("user", "request", "http://api.test")


class Broker(ThreadingHTTPServer):
    """Answers what it is told to, and keeps what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.silent = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Broker

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers, body))
        if not self.server.answers:
            self.server.silent.wait(30)
            return
        status, more, content = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in {**more, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_said: object) -> None:
        """Tests have no use for it."""


@pytest.fixture
def broker() -> Iterator[Broker]:
    server = Broker()
    yield server
    server.silent.set()
    server.shutdown()
    server.server_close()


def ask(url: str, request: Request, *, seconds: float = 10.0, requires: tuple[str, ...] = ()) -> Outcome:
    async def asking() -> Outcome:
        client = Client(None, 10.0)
        try:
            broker = BrokerClient(client, url, "me", "secret:1", seconds)
            return await broker.ask(request, HEADERS, requires=requires)
        finally:
            await client.aclose()

    return asyncio.run(asking())


def test_what_a_broker_is_sent(broker: Broker) -> None:
    broker.answers = [(201, {}, b'{"route_service_url": "https://limits.example.com"}')]
    request = requests.bind_route(SUBJECT, "b", "app.example.com/path", {"limit": 5})
    outcome = ask(broker.url + "/", request, requires=("route_forwarding",))
    assert outcome == Succeeded({"route_service_url": "https://limits.example.com"})
    ((method, path, headers, body),) = broker.asked
    assert (method, path) == ("PUT", "/v2/service_instances/i%2F1/service_bindings/b?accepts_incomplete=true")
    assert headers["authorization"] == "Basic bWU6c2VjcmV0OjE="
    assert headers["x-broker-api-version"] == "2.15"
    assert headers["x-broker-api-originating-identity"] == "cloudfoundry eyJ1c2VyX2lkIjoidXNlciJ9"
    assert headers["x-broker-api-request-identity"] == "request"
    said = json.loads(body)
    assert said["bind_resource"] == {"route": "app.example.com/path"}
    assert (said["service_id"], said["plan_id"], said["parameters"]) == ("service", "plan", {"limit": 5})
    assert said["context"]["platform"] == "cloudfoundry"
    assert "app_guid" not in said


def test_every_request_says_what_it_is_about() -> None:
    other = Subject("i/1", "limits", "service", "other", PLACE)
    asked = {
        "provision": requests.provision(SUBJECT, {}),
        "update": requests.update(SUBJECT, other, {"a": 1}),
        "deprovision": requests.deprovision(SUBJECT),
        "unbind": requests.unbind(SUBJECT, "b"),
        "last operation": requests.last_operation(SUBJECT, "op 1"),
        "of a binding": requests.last_operation(SUBJECT, "", "b"),
        "app": requests.bind_app(SUBJECT, "b", "a", {}),
        "key": requests.bind_key(SUBJECT, "b", {}),
    }
    of = "/v2/service_instances/i%2F1"
    ids = "service_id=service&plan_id=plan"
    assert [(each.method, each.path) for each in asked.values()] == [
        ("PUT", f"{of}?accepts_incomplete=true"),
        ("PATCH", f"{of}?accepts_incomplete=true"),
        ("DELETE", f"{of}?accepts_incomplete=true&{ids}"),
        ("DELETE", f"{of}/service_bindings/b?accepts_incomplete=true&{ids}"),
        ("GET", f"{of}/last_operation?{ids}&operation=op+1"),
        ("GET", f"{of}/service_bindings/b/last_operation?{ids}"),
        ("PUT", f"{of}/service_bindings/b?accepts_incomplete=true"),
        ("PUT", f"{of}/service_bindings/b?accepts_incomplete=true"),
    ]
    assert asked["update"].body is not None
    assert asked["update"].body["plan_id"] == "other"
    assert asked["update"].body["previous_values"]["plan_id"] == "plan"
    assert asked["app"].body is not None
    assert asked["app"].body["app_guid"] == "a"
    assert "parameters" not in asked["app"].body


def test_redirects_are_followed_without_the_password(broker: Broker) -> None:
    other = Broker()
    other.answers = [(202, {"Retry-After": "2"}, b'{"operation": "later"}')]
    broker.answers = [(307, {"Location": f"{other.url}/moved"}, b"")]
    outcome = ask(broker.url, requests.provision(SUBJECT, {}))
    other.shutdown()
    other.server_close()
    assert outcome == InProgress({"operation": "later"}, "later")
    ((method, path, headers, _),) = other.asked
    assert (method, path) == ("PUT", "/moved")
    assert "authorization" not in headers


def test_redirects_come_to_an_end(broker: Broker) -> None:
    broker.answers = [(302, {"Location": "/v2/catalog"}, b"")] * 9
    outcome = ask(broker.url, requests.catalog())
    assert isinstance(outcome, Failed)
    assert len(broker.asked) == 5


def test_a_broker_that_is_silent(broker: Broker) -> None:
    outcome = ask(broker.url, requests.provision(SUBJECT, {}), seconds=0.1)
    assert outcome == Failed(TIMED_OUT, orphan=True, status=504, error="HttpClientTimeout")


def test_a_broker_that_is_away(broker: Broker) -> None:
    broker.shutdown()
    broker.server_close()
    assert ask(broker.url, requests.catalog()) == Failed(UNREACHABLE, error="ServiceBrokerApiUnreachable")


@pytest.mark.parametrize("location", ["http://[::1", "ftp://elsewhere", ""])
def test_redirects_to_nowhere(broker: Broker, location: str) -> None:
    broker.answers = [(301, {"Location": location}, b"")] * 5
    outcome = ask(broker.url, requests.provision(SUBJECT, {}))
    assert isinstance(outcome, Failed)


def test_a_redirect_to_see_something_else_is_no_order(broker: Broker) -> None:
    broker.answers = [(303, {"Location": "/seen"}, b""), (200, {}, b"{}")]
    assert ask(broker.url, requests.provision(SUBJECT, {})) == Succeeded({})
    assert [(method, path, body) for method, path, _, body in broker.asked[1:]] == [("GET", "/seen", b"")]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@contextlib.asynccontextmanager
async def raw(*pieces: bytes, pause: float = 0.0, hold: bool = False) -> AsyncIterator[str]:
    """A broker that answers each request with these bytes, with a pause after each, and then hangs up, or holds the line."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            if hold:
                await ended.wait()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ended.set()


def told(request: Request, *pieces: bytes, seconds: float = 10.0, **how: Any) -> Outcome:
    """What comes of asking a broker that answers like that."""

    async def asking() -> Outcome:
        async with raw(*pieces, **how) as url:
            return await BrokerClient(Client(None, 10.0), url, "me", "secret", seconds).ask(request, HEADERS)

    return asyncio.run(asking())


def test_a_broker_that_answers_byte_by_byte() -> None:
    """It is the whole answer that has to come in time: each byte would."""
    drops = [HEAD % 1000, *([b"1"] * 1000)]
    outcome = told(requests.provision(SUBJECT, {}), *drops, pause=0.05, seconds=0.3)
    assert outcome == Failed(TIMED_OUT, orphan=True, status=504, error="HttpClientTimeout")


def test_a_broker_that_holds_the_line() -> None:
    outcome = told(requests.bind_key(SUBJECT, "b", {}), HEAD % 10, b"{", hold=True, seconds=0.2)
    assert outcome == Failed(TIMED_OUT, orphan=True, status=504, error="HttpClientTimeout")


@pytest.mark.parametrize("pieces", [(), (b"HTTP/1.1 2",), (HEAD % 10, b"{")], ids=["nothing", "half a head", "half a body"])
def test_a_broker_that_hangs_up_may_have_made_something(pieces: tuple[bytes, ...]) -> None:
    expected = Failed(UNREACHABLE, orphan=True, error="ServiceBrokerApiUnreachable")
    assert told(requests.provision(SUBJECT, {}), *pieces) == expected
    outcome = told(requests.last_operation(SUBJECT, ""), *pieces)
    assert isinstance(outcome, Failed)
    assert outcome.repeatable


def test_no_answer_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_client, "_LARGEST", 1000)
    sentence = "The service broker returned an invalid response: it has more than 1000 bytes"
    endless = (b"HTTP/1.1 200 OK\r\n\r\n", *([b"x" * 900] * 3))
    assert told(requests.provision(SUBJECT, {}), *endless, hold=True) == Failed(sentence, orphan=True)
    assert told(requests.catalog(), HEAD % 1001, b"{" + b" " * 999 + b"}") == Failed(sentence)
    assert told(requests.catalog(), HEAD % 1000, b"{" + b" " * 998 + b"}") == Succeeded({})


def test_brokers_are_verified(tmp_path: Path) -> None:
    authority = certificates.make_authority("CA", time.time())
    pair = certificates.issue(authority, "broker", ["127.0.0.1"], time.time())
    for name, pem in {"ca": authority.certificate, "crt": pair.certificate, "key": pair.key}.items():
        (tmp_path / name).write_bytes(pem)

    async def moved(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"location", b"http://127.0.0.1:1/"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 301, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def asking(context: ssl.SSLContext) -> Outcome:
        identity = str(tmp_path / "crt"), str(tmp_path / "key")
        async with daemon.serving(moved, "127.0.0.1", 0, certificate=identity) as port:
            broker = BrokerClient(Client(context, 10.0), f"https://127.0.0.1:{port}", "me", "secret", 10.0)
            return await broker.ask(requests.catalog(), HEADERS)

    outcome = asyncio.run(asking(ssl.create_default_context()))
    assert isinstance(outcome, Failed)
    assert outcome.detail.startswith(f"{UNREACHABLE}: certificate verify failed: ")
    refused = asyncio.run(asking(ssl.create_default_context(cafile=str(tmp_path / "ca"))))
    invalid = "The service broker returned an invalid response. Status Code: 301 Moved Permanently, Body: "
    assert refused == Failed(invalid), "what is encrypted stays that"
