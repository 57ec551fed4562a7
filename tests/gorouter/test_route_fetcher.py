"""The Routing API as a source of routes, with servers that speak TLS."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cfroute.clock import SystemClock
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.routing_api import fetcher as route_fetcher
from cfroute.gorouter.routing_api.fetcher import RouteFetcher
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.http_client import Unreachable
from cfroute.logs import Logger

from ..ports import free_port
from ..waiting import until
from .routing_servers import RoutingServers, route

if TYPE_CHECKING:
    from tests.gorouter.conftest import LogLines


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[RoutingServers]:
    servers = RoutingServers(tmp_path)
    yield servers
    servers.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_fetcher, "_RETRY_AFTER", 0.02)


def fetcher(servers: RoutingServers, registry: Registry, logger: Logger, **settings: Any) -> RouteFetcher:
    config = {**servers.settings(), "prune_stale_droplets_interval": "100ms", "token_fetcher_retry_interval": "10ms", **settings}
    return RouteFetcher(parse(yaml.safe_dump(config)), registry, logger.session("route-fetcher"), SystemClock())


def run(one: RouteFetcher, scenario: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await scenario()
        finally:
            await one.close()

    asyncio.run(whole())


def addresses(registry: Registry, uri: str) -> list[str]:
    pool = registry.find(uri)
    return [endpoint.address for endpoint in pool.endpoints] if pool is not None else []


def test_all_routes_again_and_again(servers: RoutingServers, registry: Registry, logger: Logger, log_lines: "LogLines") -> None:
    one = fetcher(servers, registry, logger)
    servers.routes = [route("a.test/path"), route("b.test")]

    async def scenario() -> None:
        await one.check()
        await one.fetch()
        assert addresses(registry, "a.test/path") == ["127.0.0.1:8080"]
        one.start()
        servers.routes = [route("b.test"), route("c.test", 9)]
        await until(lambda: addresses(registry, "c.test"))
        assert not addresses(registry, "a.test/path")
        assert addresses(registry, "b.test")

    run(one, scenario)
    assert servers.credentials == "gorouter:a%2Bb"
    asked = servers.asked("POST /oauth/token")[0]
    assert asked["x-cf-encoded-credentials"] == "true"
    assert asked["content-type"] == "application/x-www-form-urlencoded"
    assert servers.requests[0][2] == b"grant_type=client_credentials&token_format=jwt"
    assert servers.asked("GET /routing/v1/routes")[0]["authorization"] == "bearer token-1"
    assert len(servers.asked("POST")) == 1, "a token that is good is kept"
    assert log_lines[0]["source"] == "gorouter.route-fetcher"
    assert "syncer-started" in log_lines.messages()


def test_events(servers: RoutingServers, registry: Registry, logger: Logger, log_lines: "LogLines") -> None:
    one = fetcher(servers, registry, logger, prune_stale_droplets_interval="30s")

    async def scenario() -> None:
        one.start()
        await until(lambda: servers.subscribers)
        servers.event("Upsert", route("a.test"))
        servers.event("Upsert", route("b.test", index=2))
        await until(lambda: addresses(registry, "a.test") and addresses(registry, "b.test"))
        servers.event("Delete", route("a.test"))
        await until(lambda: not addresses(registry, "a.test"))
        servers.end_streams()
        await until(lambda: servers.subscribers)
        servers.event("Upsert", route("c.test"))
        await until(lambda: addresses(registry, "c.test"))

    run(one, scenario)
    messages = log_lines.messages()
    assert messages.count("Successfully-subscribed-to-routing-api-event-stream") == 2
    assert log_lines.data("failed-getting-next-event: ")[0] == {"error": "EOF"}
    assert log_lines.data("received-event")[0]["event"]["Action"] == "Upsert"


def test_an_event_that_cannot_be_read_ends_the_stream(
    servers: RoutingServers, registry: Registry, logger: Logger, log_lines: "LogLines"
) -> None:
    one = fetcher(servers, registry, logger)

    async def scenario() -> None:
        one.start()
        await until(lambda: servers.subscribers)
        servers.event("Upsert", {"port": "x"})
        await until(lambda: log_lines.messages().count("subscribing-to-routing-api-event-stream") == 2)

    run(one, scenario)
    assert "the event cannot be read" in log_lines.data("failed-getting-next-event: ")[0]["error"]


def test_a_token_that_is_not_good_any_more_is_replaced(servers: RoutingServers, registry: Registry, logger: Logger) -> None:
    one = fetcher(servers, registry, logger)
    servers.routes = [route("a.test")]

    async def scenario() -> None:
        await one.check()
        servers.good_tokens.clear()
        await one.fetch()
        assert addresses(registry, "a.test")
        servers.good_tokens.clear()
        one.start()
        await until(lambda: servers.subscribers)

    run(one, scenario)
    tokens = [headers["authorization"] for headers in servers.asked("GET /routing/v1/routes")]
    assert tokens[:2] == ["bearer token-1", "bearer token-2"]


def test_without_authentication(servers: RoutingServers, registry: Registry, logger: Logger) -> None:
    settings = servers.settings()
    settings["routing_api"]["auth_disabled"] = True
    settings["oauth"] = {"ca_certs": "/nowhere/ca.pem"}
    servers.good_tokens.add("bearer")
    servers.routes = [route("a.test")]
    one = fetcher(servers, registry, logger, **settings)

    async def scenario() -> None:
        await one.check()
        await one.fetch()

    run(one, scenario)
    assert addresses(registry, "a.test")
    assert not servers.asked("POST")


def test_a_routing_api_that_is_away(servers: RoutingServers, registry: Registry, logger: Logger, log_lines: "LogLines") -> None:
    settings = servers.settings()
    port = settings["routing_api"]["port"] = free_port()
    one = fetcher(servers, registry, logger, **settings)

    async def scenario() -> None:
        with pytest.raises(Unreachable):
            await one.fetch()
        one.start()
        await until(lambda: "failed-to-fetch-routes" in log_lines.messages())
        servers.listen_at(port)
        await until(lambda: "Successfully-subscribed-to-routing-api-event-stream" in log_lines.messages())

    run(one, scenario)
    assert log_lines.messages().count("subscribing-to-routing-api-event-stream") == 1, "it is asked again without a word"
