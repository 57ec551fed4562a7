"""What the tests of the TCP router have in common."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .daemons import Backend, ScriptedApi, TcpRouter

QUICK = ("-syncInterval", "1m", "-subscriptionRetryInterval", "1", "-tokenFetchRetryInterval", "50ms")


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    scripted = ScriptedApi()
    yield scripted
    scripted.close()


@pytest.fixture
def start(tmp_path: Path, api: ScriptedApi) -> Iterator[Callable[..., TcpRouter]]:
    """Starts a router on the scripted Routing API, without tokens; flags come after the usual ones, and win."""
    routers: list[TcpRouter] = []

    def begin(*flags: str, **settings: Any) -> TcpRouter:
        there = {"uri": "http://127.0.0.1", "port": api.port, "auth_disabled": True, **settings.pop("routing_api", {})}
        folder = tmp_path / str(len(routers))
        routers.append(TcpRouter(folder, {"routing_api": there, **settings}, *QUICK, *flags))
        return routers[-1]

    yield begin
    for router in routers:
        router.process.kill()
        router.process.wait()
        assert "Traceback" not in router.output.read_text()


@pytest.fixture
def backend() -> Iterator[Backend]:
    one = Backend()
    yield one
    one.close()
