"""Packages and droplets on the disk. A blob is there whole or not at all."""

import errno
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO

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

    @asynccontextmanager
    async def receiving(self, path: Path) -> AsyncIterator["Part"]:
        """What is to become the blob at `path`; unless it is kept, it is thrown away at the end of the block."""
        temporary = path.with_suffix(f".{os.urandom(4).hex()}.part")
        with _disk():
            file = temporary.open("x+b")
        try:
            yield Part(file, temporary, path)
        finally:
            with suppress(OSError):  # a disk that has refused what was written does so once more
                file.close()
            temporary.unlink(missing_ok=True)

    async def store(self, path: Path, pieces: AsyncIterator[bytes]) -> str:
        """Write the blob durably and return its SHA-256. Raises ApiError 10015 when the disk is full."""
        async with self.receiving(path) as part:
            async for piece in pieces:
                await part.write(piece)
            await part.sync()
            part.keep()
            return part.checksum


class Part:
    """A blob that is being written, beside its place. Its methods raise ApiError 10015 when the disk does not do."""

    def __init__(self, file: IO[bytes], temporary: Path, place: Path) -> None:
        self.file = file
        self.size = 0  # bytes
        self._temporary = temporary
        self._place = place
        self._digest = hashlib.sha256()

    @property
    def checksum(self) -> str:
        """The SHA-256 of what has been written."""
        return self._digest.hexdigest()

    async def write(self, piece: bytes) -> None:
        """Write more."""
        self.size += len(piece)
        self._digest.update(piece)
        with _disk():
            await run_in_threadpool(self.file.write, piece)

    async def sync(self) -> None:
        """Have it safely on the disk."""
        with _disk():
            self.file.flush()
            await run_in_threadpool(os.fsync, self.file.fileno())

    def keep(self) -> None:
        """Put it in its place, where nothing is read of it before."""
        with _disk():
            self._temporary.replace(self._place)


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ApiError(UNAVAILABLE, disk_problem(error)) from error


def disk_problem(error: OSError) -> str:
    """What to tell the client of a disk that does not take any more."""
    if error.errno in DISK_FULL:
        return "The disk is full: the upload was not stored. Free some space and try again."
    return f"The upload could not be stored: {error.strerror}."
