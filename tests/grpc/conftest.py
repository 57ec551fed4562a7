from pathlib import Path

import pytest

from ..locket.daemons import write_identities


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, id.pem and id.key."""
    folder = tmp_path_factory.mktemp("identities")
    write_identities(folder)
    return folder
