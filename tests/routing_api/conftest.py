from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .daemons import Process, settings, write_identities


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, id.pem and id.key."""
    folder = tmp_path_factory.mktemp("identities")
    write_identities(folder)
    return folder


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A Routing API that asks for no tokens; tests use ports and hosts of their own."""
    folder = tmp_path_factory.mktemp("routing-api")
    write_identities(folder)
    process = Process(folder, settings(folder), "-devMode").started()
    yield process
    assert process.end() == 0
    assert "Traceback" not in process.output.read_text()


@pytest.fixture
def api(shared: Process) -> Iterator[httpx.Client]:
    with shared.client() as client:
        yield client


@pytest.fixture
def group(api: httpx.Client) -> str:
    """The guid of the configured router group."""
    (found,) = api.get("/router_groups", params={"name": "default-tcp"}).json()
    return str(found["guid"])


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts a Routing API in the test's own folder, with settings of its own."""
    write_identities(tmp_path)
    processes: list[Process] = []

    def begin(*arguments: str, config: dict[str, Any] | None = None, **more: Any) -> Process:
        processes.append(Process(tmp_path, config or settings(tmp_path, **more), *arguments))
        return processes[-1]

    yield begin
    for each in processes:
        each.process.kill()
        each.process.wait()
