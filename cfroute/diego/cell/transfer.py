"""What the cell fetches from the Cloud Controller, and what it brings there: droplets and packages."""

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from cfroute.clock import Clock
from cfroute.errors import CfrouteError
from cfroute.http_client import Client, Unreachable

CHUNK = 256 * 1024  # bytes
KEPT = 16  # droplets
# Seconds for which a Cloud Controller that is not there is waited for, and between two tries. Three failures in a row are crashes
# that cost an app half a minute, and a foundation that starts, or starts a Cloud Controller again, takes less than this.
PATIENCE, RETRY = 10.0, 0.2


class TransferError(CfrouteError):
    """The Cloud Controller could not be reached, or did not give or take the file."""


async def download(http: Client, url: str, target: Path) -> int:
    """Fetch a file; its size in bytes. Raises TransferError, and leaves nothing behind then."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        async with http.stream("GET", url) as answer:
            if answer.is_error:
                raise TransferError(f"GET {url}: {answer.status}")
            with partial.open("wb") as file:
                async for chunk in answer.chunks():
                    file.write(chunk)
        partial.replace(target)
    except Unreachable as error:
        raise TransferError(error.message) from error
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


async def upload(http: Client, url: str, source: Path) -> None:
    """PUT a file. Raises TransferError."""
    try:
        async with http.stream("PUT", url, _chunks(source), length=source.stat().st_size) as answer:
            if answer.is_error:
                raise TransferError(f"PUT {url}: {answer.status}")
            await answer.read()
    except Unreachable as error:
        raise TransferError(error.message) from error


async def _chunks(source: Path) -> AsyncIterator[bytes]:
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


class Droplets:
    """The droplets that a cell has fetched already; a URL always means the same droplet."""

    def __init__(self, folder: Path, http: Client, clock: Clock) -> None:
        self._folder = folder
        self._http = http
        self._clock = clock
        self._locks: dict[Path, asyncio.Lock] = {}
        self._users: Counter[Path] = Counter()
        folder.mkdir(parents=True, exist_ok=True)

    @contextlib.asynccontextmanager
    async def get(self, url: str) -> AsyncIterator[Path]:
        """The droplet's file, there as long as the block runs. Many may ask at once: it is fetched once.

        Raises TransferError.
        """
        path = self._folder / f"{hashlib.sha256(url.encode()).hexdigest()}.tgz"
        self._users[path] += 1
        try:
            async with self._locks.setdefault(path, asyncio.Lock()):
                if not path.exists():
                    await self._fetch(url, path)
            yield path
        finally:
            self._users[path] -= 1
            self._forget_old()

    async def _fetch(self, url: str, path: Path) -> None:
        deadline = self._clock.monotonic() + PATIENCE
        while True:
            try:
                await download(self._http, url, path)
                return
            except TransferError as error:
                if not isinstance(error.__cause__, Unreachable) or self._clock.monotonic() >= deadline:
                    raise
            await self._clock.sleep(RETRY)

    def _forget_old(self) -> None:
        by_age = sorted(self._folder.glob("*.tgz"), key=lambda each: each.stat().st_mtime)
        for path in by_age[:-KEPT]:
            if not self._users[path]:
                path.unlink()
                self._locks.pop(path, None)
