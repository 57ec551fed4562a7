"""Files that are fetched: whole and undamaged, or not there at all."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cfroute.cli.access.api import Api, Resource
from cfroute.errors import CfrouteError

_KINDS = ("sha256", "sha1")
"""The checksums that upstream has, or had."""


def fetch(api: Api, path: str, target: Path, checksum: Resource | None) -> None:
    """Write what is at the path of the API into the file. Raises CfrouteError, also for what has another checksum."""
    kind = checksum.get("type") if checksum else None
    expected = checksum.get("value") if checksum else None
    digest = hashlib.new(kind) if kind in _KINDS and expected else None
    with _whole(target) as file:

        def take(piece: bytes) -> None:
            file.write(piece)
            if digest is not None:
                digest.update(piece)

        api.download(path, take)
        _verify(digest.hexdigest() if digest is not None else expected, expected, kind)


def _verify(found: str | None, expected: str | None, kind: str | None) -> None:
    if found != expected:
        raise CfrouteError(f"What has come is damaged: its {kind} is {found}, and has to be {expected}", "try it again")


@contextmanager
def _whole(target: Path) -> Iterator[IO[bytes]]:
    """A file that takes the target's name when the block has ended well. What is no regular file (a pipe) is written as it is."""
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    target = target.resolve()  # a link stays one
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
