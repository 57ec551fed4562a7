"""What the tests of the metrics share."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.testing import ManualClock

Exchange = Callable[..., Any]


@pytest.fixture
def make_reporter(clock: ManualClock) -> Callable[..., Reporter]:
    """Makes a reporter with a configuration."""

    def make(config: str = "", **more: Any) -> Reporter:
        return Reporter(parse(config), clock.monotonic, **more)

    return make


@pytest.fixture
def reporter(make_reporter: Callable[..., Reporter]) -> Reporter:
    return make_reporter()


@pytest.fixture
def exchange() -> Exchange:
    """Makes what a reporter looks at of a finished request; times are seconds since its start."""

    def make(status: int = 200, endpoint: Any = None, started: float = 0.0, proxy_started: float = 0.001, **more: Any) -> Any:
        values = {"route_service": None, **more}
        return SimpleNamespace(status=status, endpoint=endpoint, started=started, proxy_started=proxy_started, **values)

    return make
