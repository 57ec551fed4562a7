"""What the tests of the Gorouter share."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from cfroute.gorouter.config import parse
from cfroute.gorouter.endpoint import Endpoint
from cfroute.gorouter.registry import Registry
from cfroute.logs import DEBUG, Logger
from cfroute.testing import ManualClock


class LogLines(list[dict[str, Any]]):
    """A log stream that keeps its lines as objects."""

    def write(self, text: str) -> None:
        self.append(json.loads(text))

    def flush(self) -> None:
        """Nothing is held back."""

    def messages(self) -> list[str]:
        return [line["message"] for line in self]

    def data(self, message: str) -> list[dict[str, Any]]:
        return [line["data"] for line in self if line["message"] == message]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def log_lines() -> LogLines:
    return LogLines()


@pytest.fixture
def logger(log_lines: LogLines, clock: ManualClock) -> Logger:
    return Logger("gorouter", DEBUG, stream=log_lines, clock=clock)


@pytest.fixture
def make_registry(logger: Logger, clock: ManualClock) -> Callable[..., Registry]:
    def make(config: str = "") -> Registry:
        return Registry(parse(config), logger, clock, Random(1))

    return make


@pytest.fixture
def registry(make_registry: Callable[..., Registry]) -> Registry:
    return make_registry()


@pytest.fixture
def endpoint() -> Callable[..., Endpoint]:
    """Makes an endpoint: `endpoint(8080, app="a")`."""

    def make(port: int = 8080, host: str = "10.0.0.1", **values: Any) -> Endpoint:
        return Endpoint(host=host, port=port, **values)

    return make
