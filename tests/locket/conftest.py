from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .daemons import Locket, settings, write_identities
from .grpcio_locket import GrpcioClient, GrpcioLocket


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of `write_identities`."""
    folder = tmp_path_factory.mktemp("identities")
    write_identities(folder)
    return folder


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locket]:
    """A Locket that tests use with keys of their own."""
    folder = tmp_path_factory.mktemp("locket")
    write_identities(folder)
    locket = Locket(folder, settings(folder)).started()
    yield locket
    assert locket.end() == 0
    assert "Traceback" not in locket.output.read_text()


@pytest.fixture
def client(shared: Locket) -> Iterator[GrpcioClient]:
    made = GrpcioClient(shared.port, shared.output.parent)
    yield made
    made.close()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Locket]]:
    """Starts a Locket in the test's own folder, with settings of its own."""
    write_identities(tmp_path)
    started: list[Locket] = []

    def begin(**more: Any) -> Locket:
        started.append(Locket(tmp_path, settings(tmp_path, **more)))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def grpcio_locket(identities: Path) -> Iterator[GrpcioLocket]:
    made = GrpcioLocket(identities).start()
    yield made
    made.stop()
