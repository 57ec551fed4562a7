from typing import Any

import pytest

pytest.register_assert_rewrite("tests.proxy.plumbing")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The event loop of the product."""
    return "asyncio", {"use_uvloop": True}
