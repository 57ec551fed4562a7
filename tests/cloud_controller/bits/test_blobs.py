"""What is kept on the disk, when the disk does not do."""

import asyncio
import os
from pathlib import Path

import pytest

from cfroute.cloud_controller.bits.blobs import Blobs
from cfroute.cloud_controller.errors import ApiError

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_a_disk_that_does_not_take_the_rest_is_told_of_once(tmp_path: Path) -> None:
    """What is still in a buffer then is tried again when the file is closed: that says nothing new."""
    blobs = Blobs(tmp_path)

    async def scene() -> None:
        async with blobs.receiving(blobs.package("p")) as part:
            await part.write(b"x")
            full = os.open(FULL, os.O_WRONLY)
            os.dup2(full, part.file.fileno())
            os.close(full)
            await part.sync()

    with pytest.raises(ApiError, match="The disk is full"):
        asyncio.run(scene())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
