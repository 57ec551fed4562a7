"""NATS, Gorouter and registrar, all of them real: what is registered is routed while it is well."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from random import Random

import pytest

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.nats import messages
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.logs import Logger
from cfroute.route_registrar.messages import encode
from cfroute.testing import ManualClock

from ..conformance.conftest import Backend, Nats, Router
from ..waiting import eventually
from .daemons import Registrar, http, server
from .examples import http_route


@pytest.fixture
def nats() -> Iterator[Nats]:
    nats = Nats()
    yield nats
    nats.stop()


@pytest.fixture
def router(tmp_path: Path, nats: Nats) -> Iterator[Router]:
    folder = tmp_path / "gorouter"
    folder.mkdir()
    router = Router(folder, nats, {})
    yield router
    assert router.stop() == 0


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend()
    yield backend
    backend.close()


@pytest.mark.statement("route registrar 5", "A Gorouter serves a route while its check is passed, and drops it when that fails")
@pytest.mark.statement("route registrar 8", "A Gorouter drops the routes of a registrar that ends")
def test_a_route_is_served_while_it_is_well(tmp_path: Path, nats: Nats, router: Router, backend: Backend) -> None:
    ill = tmp_path / "ill"
    check = {"name": "h", "script_path": f"test ! -f {ill}", "timeout": "150ms"}
    tags = {"component": "CloudController"}
    route = http("api", host="127.0.0.1", port=backend.port, uris=["api.test", "api.test/v3"], tags=tags, health_check=check)
    registrar = Registrar(tmp_path, {"message_bus_servers": [server(nats)], "routes": [route]})
    try:
        eventually(lambda: len(router.routes()) == 2, "the routes")
        assert router.routes()["api.test"][0]["tags"] == tags
        assert router.get("api.test").status == 200
        ill.touch()
        eventually(lambda: not router.routes(), "their end")
        assert router.get("api.test").status == 404
        ill.unlink()
        eventually(lambda: router.get("api.test").status == 200, "the routes again")
        assert registrar.end() == 0
        eventually(lambda: not router.routes(), "their end")
    finally:
        registrar.process.kill()
        registrar.process.wait()


def test_what_nobody_registers_any_more_is_forgotten_after_two_minutes() -> None:
    clock = ManualClock()
    registry = Registry(parse("prune_stale_droplets_interval: 30s"), Logger("gorouter", stream=StringIO()), clock, Random(1))
    told = messages.decode(encode(http_route(uris=["api.test"]), "id", ""))
    registry.register("api.test", messages.to_endpoint(told, stale_threshold=120, http2=True))
    for seconds, there in ((119, True), (2, False)):
        clock.advance(seconds)
        list(registry.prune(clock.monotonic()))
        assert bool(registry.find("api.test")) is there
