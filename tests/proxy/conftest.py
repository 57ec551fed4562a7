from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.proxy.plumbing")

from .plumbing import Rig, running  # noqa: E402 (the assertions in there are to explain themselves, too)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The event loop of the product."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
async def rig(anyio_backend: Any) -> AsyncIterator[Rig]:
    async with running() as rig:
        yield rig
