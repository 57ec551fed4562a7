"""A service broker over real sockets, which can fail in every way that the Open Service Broker API knows."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CATALOG: dict[str, Any] = {
    "services": [
        {
            "id": "rs-id",
            "name": "limiter",
            "description": "Limits the rate of requests",
            "bindable": True,
            "requires": ["route_forwarding"],
            "tags": ["route-service"],
            "plan_updateable": True,
            "instances_retrievable": True,
            "bindings_retrievable": True,
            "plans": [
                {"id": "small-id", "name": "small", "description": "sync plan"},
                {"id": "big-id", "name": "big", "description": "another plan", "free": False},
            ],
        },
        {
            "id": "db-id",
            "name": "db",
            "description": "A plain service",
            "bindable": True,
            "plans": [{"id": "plain-id", "name": "plain", "description": "plain", "free": True}],
        },
    ]
}


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Mood:
    """How the broker behaves. answer: said to everything but the catalog (status and body), in place of what would be right.

    hung: a method that it does not answer; silent: it answers nothing.
    """

    catalog: Any = field(default_factory=lambda: json.loads(json.dumps(CATALOG)))
    background: bool = False
    state: dict[str, Any] = field(default_factory=lambda: {"state": "in progress"})
    url: Any = "https://limiter.example.com/x"
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    silent: bool = False
    hung: str = ""


class Broker(ThreadingHTTPServer):
    """`things` are the paths of the instances and bindings that there are, with what they were made of."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.asked: list[Asked] = []
        self.things: dict[str, dict[str, Any]] = {}
        self.mood = Mood()
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    @property
    def story(self) -> list[str]:
        """What was asked, but for the catalog."""
        return [str(each) for each in self.asked if each.path != "/v2/catalog"]


class Handler(BaseHTTPRequestHandler):
    server: Broker
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        url = urlsplit(self.path)
        asked = Asked(
            self.command,
            url.path,
            {name: values[0] for name, values in parse_qs(url.query).items()},
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(raw) if raw else {},
        )
        self.server.asked.append(asked)
        if self.server.mood.silent or asked.method == self.server.mood.hung:
            self.server.ended.wait(30)
            self.close_connection = True
            return
        status, body = self._decide(asked)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _decide(self, asked: Asked) -> tuple[int, bytes]:
        mood = self.server.mood
        if asked.headers.get("authorization") != "Basic bWU6c2VjcmV0":
            return 401, b"{}"
        if asked.method in mood.answers:
            return mood.answers[asked.method]
        status, body = self._right(asked)
        return status, json.dumps(body).encode()

    def _right(self, asked: Asked) -> tuple[int, Any]:
        mood, things = self.server.mood, self.server.things
        if asked.path == "/v2/catalog":
            return 200, mood.catalog
        if asked.path.endswith("/last_operation"):
            owner = asked.path.removesuffix("/last_operation")
            return (200, mood.state) if owner in things else (410, {})
        if asked.method == "GET":
            thing = things.get(asked.path)
            return (200, {"parameters": thing.get("parameters", {}), **self._made(asked)}) if thing is not None else (404, {})
        if asked.method == "DELETE":
            if mood.background and asked.path in things:
                things.pop(asked.path)
                return 202, {"operation": "removing"}
            return (200, {}) if things.pop(asked.path, None) is not None else (410, {})
        things[asked.path] = asked.body
        if mood.background:
            return 202, {"operation": "making"}
        return (201, self._made(asked)) if asked.method == "PUT" else (200, {})

    def _made(self, asked: Asked) -> dict[str, Any]:
        if "/service_bindings/" not in asked.path:
            return {"dashboard_url": "http://dash.example/1"}
        made = self.server.things[asked.path]
        if "route" in made.get("bind_resource", {}):
            return {"route_service_url": self.server.mood.url} if self.server.mood.url else {}
        return {"credentials": {"user": "u", "password": "p"}, "syslog_drain_url": None}

    do_GET = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_said: object) -> None:
        """Tests have no use for it."""
