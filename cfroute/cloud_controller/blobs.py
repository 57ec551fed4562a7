"""Packages and droplets on the disk. A blob is there whole or not at all."""

import errno
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from cfroute.cloud_controller.errors import UNAVAILABLE, ApiError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class Blobs:
    """The folders `packages/` and `droplets/`."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        for folder in ("packages", "droplets"):
            (self._root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Throw away what a Cloud Controller that was killed had begun to write. Nobody else may be writing."""
        for begun in self._root.glob("*/*.part"):
            begun.unlink(missing_ok=True)

    def package(self, guid: str) -> Path:
        return self._root / "packages" / f"{guid}.zip"

    def droplet(self, guid: str) -> Path:
        return self._root / "droplets" / f"{guid}.tgz"

    async def store(self, path: Path, chunks: AsyncIterator[bytes]) -> str:
        """Write the blob durably and return its SHA-256. Raises ApiError 10015 when the disk is full."""
        temporary = path.with_suffix(f".{os.urandom(4).hex()}.part")
        digest = hashlib.sha256()
        try:
            with temporary.open("xb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    await run_in_threadpool(file.write, chunk)
                file.flush()
                await run_in_threadpool(os.fsync, file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise ApiError(UNAVAILABLE, disk_problem(error)) from error
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()


def disk_problem(error: OSError) -> str:
    """What to tell the client of a disk that does not take any more."""
    if error.errno in DISK_FULL:
        return "The disk is full: the upload was not stored. Free some space and try again."
    return f"The upload could not be stored: {error.strerror}."
