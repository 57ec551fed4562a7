"""The health and routes listeners."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from cfroute.clock import SystemClock
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.status import StatusListeners

CONFIG = "status: {port: 0, user: u, pass: 'p:w', routes: {port: 0}}"


class Health:
    healthy = False


class Setting:
    def __init__(self, registry: Registry, config: str = CONFIG) -> None:
        self.health = Health()
        self.registry = registry
        self.listeners = StatusListeners(parse(config), registry, self.health, SystemClock())

    @property
    def health_port(self) -> int:
        return self.listeners.ports[0]

    @property
    def routes_port(self) -> int:
        return self.listeners.ports[-1]

    async def raw(self, port: int, request: bytes) -> str:
        """What is answered to these bytes, up to the end of the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        async with asyncio.timeout(30):
            answer = (await reader.read()).decode()
        writer.close()
        return answer

    async def get(self, path: str, auth: tuple[str, str] | None = ("u", "p:w")) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{self.routes_port}{path}", auth=auth)


@pytest.fixture
def setting(registry: Registry) -> Setting:
    return Setting(registry)


def run(setting: Setting, scenario: Callable[[Setting], Awaitable[None]]) -> None:
    async def whole() -> None:
        await setting.listeners.start()
        try:
            await scenario(setting)
        finally:
            await setting.listeners.close()

    asyncio.run(whole())


def without_date(answer: str) -> str:
    return "".join(line for line in answer.splitlines(keepends=True) if not line.startswith("Date: "))


HEALTHY = (
    "HTTP/1.1 200 OK\r\nCache-Control: private, max-age=0\r\nExpires: 0\r\nContent-Length: 3\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nok\n"
)
GET = "GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_health(setting: Setting) -> None:
    async def scenario(setting: Setting) -> None:
        port = setting.health_port
        unhealthy = await setting.raw(port, GET.format("/health").encode())
        assert without_date(unhealthy) == (
            "HTTP/1.1 503 Service Unavailable\r\nCache-Control: private, max-age=0\r\nExpires: 0\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        alive = await setting.raw(port, GET.format("/is-process-alive-do-not-use-for-loadbalancing").encode())
        assert without_date(alive) == HEALTHY
        setting.health.healthy = True
        assert without_date(await setting.raw(port, GET.format("/health?x").encode())) == HEALTHY
        assert "Date: " in alive

    run(setting, scenario)


def test_other_paths_and_bad_requests(setting: Setting) -> None:
    async def scenario(setting: Setting) -> None:
        missing = await setting.raw(setting.health_port, GET.format("/").encode())
        assert without_date(missing) == (
            "HTTP/1.1 404 Not Found\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 19\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n404 page not found\n"
        )
        assert (await setting.raw(setting.health_port, b"nonsense\r\n\r\n")).startswith("HTTP/1.1 400 Bad Request\r\n")

    run(setting, scenario)


def test_connections_are_kept_open_where_http_says_so(setting: Setting) -> None:
    async def scenario(setting: Setting) -> None:
        first = b"POST /health HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"HEAD /is-process-alive-do-not-use-for-loadbalancing HTTP/1.0\r\n\r\n"
        answer = await setting.raw(setting.health_port, first + last)
        assert answer.count("HTTP/1.") == 2
        assert answer.endswith("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")
        with_body = await setting.raw(setting.health_port, b"POST /health HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + last)
        assert with_body.count("HTTP/1.") == 2
        unread = await setting.raw(setting.health_port, b"POST /health HTTP/1.1\r\nContent-Length: 5000\r\n\r\nabc")
        assert unread.count("Connection: close\r\n") == 1

    run(setting, scenario)


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !", "Basic " + base64.b64encode(b"u:no").decode(), "Bearer x"])
def test_the_table_is_not_for_everybody(setting: Setting, authorization: str) -> None:
    async def scenario(setting: Setting) -> None:
        request = f"GET /routes HTTP/1.1\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        assert without_date(await setting.raw(setting.routes_port, request.encode())) == (
            "HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Basic\r\nContent-Length: 17\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n401 Unauthorized\n"
        )

    run(setting, scenario)


def test_routes(setting: Setting, endpoint: Callable[..., Endpoint]) -> None:
    setting.registry.register("a.test", endpoint(1))

    async def scenario(setting: Setting) -> None:
        answer = await setting.get("/routes")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.headers["connection"] == "close"
        assert answer.text.endswith("}\n")
        assert answer.json()["a.test"][0]["address"] == "10.0.0.1:1"
        basic = base64.b64encode(b"u:p:w").decode()
        old = await setting.raw(setting.routes_port, f"GET /routes HTTP/1.0\r\nauthorization: basic {basic}\r\n\r\n".encode())
        assert json.loads(old.partition("\r\n\r\n")[2]) == answer.json()
        assert (await setting.get("/nope")).status_code == 404

    run(setting, scenario)


def test_the_table(setting: Setting, endpoint: Callable[..., Endpoint]) -> None:
    for number in range(1200):
        setting.registry.register(f"{number:04}.test", endpoint(number))

    async def scenario(setting: Setting) -> None:
        document: dict[str, Any] = (await setting.get("/cfroute/table")).json()
        assert document["router"] == "gorouter/0"
        assert [route["uri"] for route in document["routes"]] == [f"{number:04}.test" for number in range(1200)]
        filtered = (await setting.get("/cfroute/table?prefix=001")).json()
        assert len(filtered["routes"]) == 10
        assert (await setting.get("/cfroute/table", auth=None)).status_code == 401

    run(setting, scenario)


def test_without_plain_health_checks_only_tls_is_listened_on(registry: Registry, certificate: tuple[str, str]) -> None:
    chain, key = (text.replace("\n", "\n      ") for text in certificate)
    text = f"""
status:
  enable_nontls_health_checks: false
  routes: {{port: 0}}
  tls:
    port: 18443
    certificate: |
      {chain}
    key: |
      {key}
"""
    config = parse(text)
    config.status.tls.port = 0  # any free one: a file may not say so

    async def scenario() -> None:
        listeners = StatusListeners(config, registry, Health(), SystemClock())
        await listeners.start()
        try:
            assert len(listeners.ports) == 2
            async with httpx.AsyncClient(verify=False, trust_env=False) as client:
                answer = await client.get(f"https://127.0.0.1:{listeners.ports[0]}/health")
            assert answer.status_code == 503
        finally:
            await listeners.close()

    asyncio.run(scenario())


def test_a_port_in_use(setting: Setting, registry: Registry) -> None:
    async def scenario(setting: Setting) -> None:
        second = StatusListeners(
            parse(f"status: {{port: {setting.health_port}, routes: {{port: 0}}}}"), registry, Health(), SystemClock()
        )
        with pytest.raises(OSError, match="in use"):
            await second.start()
        await second.close()

    run(setting, scenario)


def test_closing_ends_idle_connections(setting: Setting) -> None:
    async def scenario(setting: Setting) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", setting.health_port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await setting.listeners.close()
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()

    run(setting, scenario)
