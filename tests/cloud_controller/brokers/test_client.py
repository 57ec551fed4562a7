"""Asking a broker over real sockets: what it is sent, where redirects lead, and what happens when it does not answer."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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
            self.server.silent.wait(10)
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


def ask(url: str, request: Request, *, seconds: float = 10.0, route_forwarding: bool = False) -> Outcome:
    async def asking() -> Outcome:
        client = Client(None, 10.0)
        try:
            broker = BrokerClient(client, url, "me", "secret:1", seconds)
            return await broker.ask(request, HEADERS, route_forwarding=route_forwarding)
        finally:
            await client.aclose()

    return asyncio.run(asking())


def test_what_a_broker_is_sent(broker: Broker) -> None:
    broker.answers = [(201, {}, b'{"route_service_url": "https://limits.example.com"}')]
    request = requests.bind_route(SUBJECT, "b", "app.example.com/path", {"limit": 5})
    assert ask(broker.url + "/", request, route_forwarding=True) == Succeeded({"route_service_url": "https://limits.example.com"})
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
    assert outcome == InProgress({"operation": "later"}, "later", 2.0)
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
