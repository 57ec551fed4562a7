from collections.abc import AsyncIterator
from typing import Any

import pytest

from .plumbing import Rig, running


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The event loop of the product."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
async def rig(anyio_backend: Any) -> AsyncIterator[Rig]:
    async with running() as rig:
        yield rig
