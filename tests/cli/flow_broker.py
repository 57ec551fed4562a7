"""`python -m tests.cli.flow_broker`: a service broker as the transcripts know it, a process of its own.

Its first line is its URL. Below `/newer` of that it has a catalog in which plans can be upgraded and instances shared. What it
does depends on the parameters that come with a request: `{"fail": true}` has it refuse, and `{"forever": true}` never be done.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LOGIN = "Basic YnJva2VyOnNlY3JldA=="  # broker:secret
ROUTE_SERVICE = "https://limiter.example.com"
ONE_SECOND = {"Retry-After": "1"}


def catalog(newer: bool) -> dict[str, Any]:
    """What it offers."""
    upgrade = {"maintenance_info": {"version": "2.0.0", "description": "New colours"}} if newer else {}
    slow = {"bindings_retrievable": True, "instances_retrievable": True}
    routes = {
        "id": "flow-rs-id",
        "name": "flow-rs",
        "description": "Route service for the flows",
        "bindable": True,
        "requires": ["route_forwarding"],
        "tags": ["route-service"],
        "plan_updateable": True,
        "plans": [
            {"id": "small-id", "name": "small", "description": "sync plan", **upgrade},
            {"id": "async-id", "name": "async", "description": "async plan"},
        ],
    }
    cost = {"costs": [{"amount": {"usd": 99.0, "eur": 49.5}, "unit": "MONTHLY"}]}
    data = {
        "id": "flow-db-id",
        "name": "flow-db",
        "description": "A plain service",
        "bindable": True,
        "metadata": {"shareable": newer},
        "plans": [{"id": "plain-id", "name": "plain", "description": "plain plan", "free": False, "metadata": cost}],
    }
    return {"services": [routes | slow, data | slow]}


class Flow(ThreadingHTTPServer):
    """things: instances and bindings by their paths, with what they were made of; pending: how often some are to be asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.things: dict[str, dict[str, Any]] = {}
        self.pending: dict[str, float] = {}


class Handler(BaseHTTPRequestHandler):
    """One request to the broker."""

    server: Flow
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        status, body, headers = 401, {}, {}
        if self.headers.get("authorization") == LOGIN:
            status, body, headers = self._do(json.loads(raw) if raw else {})
        told = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(told))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    def _do(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        path = urlsplit(self.path).path
        newer, path = path.startswith("/newer/"), path.removeprefix("/newer")
        if path == "/v2/catalog":
            return 200, catalog(newer), {}
        if path.endswith("/last_operation"):
            return self._state(path.removesuffix("/last_operation"))
        things, parameters = self.server.things, asked.get("parameters") or {}
        if self.command == "GET":
            return 200, {"parameters": things[path].get("parameters", {})}, {}
        if self.command == "DELETE":
            return (200 if things.pop(path, None) else 410), {}, {}
        if parameters.get("fail"):
            return 400, {"description": "broker says no"}, {}
        things[path] = things.get(path, {}) | asked
        if parameters.get("forever") or (things[path]["plan_id"] == "async-id" and "/service_bindings/" not in path):
            self.server.pending[path] = float("inf") if parameters.get("forever") else 1
            return 202, {"operation": "flowing"}, ONE_SECOND
        return (201 if self.command == "PUT" else 200), self._made(path), {}

    def _made(self, path: str) -> dict[str, Any]:
        if "/service_bindings/" not in path:
            return {"dashboard_url": f"http://dash.example/{path.rpartition('/')[2]}"}
        if "route" in self.server.things[path].get("bind_resource", {}):
            return {"route_service_url": ROUTE_SERVICE}
        return {"credentials": {"user": "flow", "password": "p"}}

    def _state(self, path: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        if path not in self.server.things:
            return 410, {}, {}
        left = self.server.pending[path]
        self.server.pending[path] = left - 1
        return 200, {"state": "in progress" if left > 0 else "succeeded", "description": ""}, ONE_SECOND

    do_GET = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_said: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    flow = Flow()
    sys.stdout.write(f"http://127.0.0.1:{flow.server_port}\n")
    sys.stdout.flush()
    flow.serve_forever()
