"""Each test of the relay runs with both pollers, with and without pipes, on the event loop of the product."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cfroute.relay.pipes import AVAILABLE
from cfroute.relay.poller import SelectorPoller, best_poller

pytest.register_assert_rewrite("tests.proxy.plumbing", "tests.relay.plumbing")
from .plumbing import Site  # noqa: E402

KINDS = {
    "best": {"make_poller": best_poller, "splice": AVAILABLE},
    "portable": {"make_poller": SelectorPoller, "splice": False},
}


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The event loop of the product."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The options of a relay that are not to make a difference."""
    return KINDS[request.param]


@pytest.fixture
async def sites(anyio_backend: Any, kind: dict[str, Any]) -> AsyncIterator[Callable[..., Site]]:
    """Makes relays, which are closed at the end."""
    made: list[Site] = []

    def make(**options: Any) -> Site:
        made.append(Site(**options, **kind))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture
async def site(sites: Callable[..., Site]) -> Site:
    """A relay with one application behind its port."""
    site = sites()
    site.route(await site.application())
    return site
