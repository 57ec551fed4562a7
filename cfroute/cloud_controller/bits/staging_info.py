"""What a droplet says of itself, in its `staging_info.yml`.

The archive is read as a stream, no further than to that file, and never further than a droplet goes: a few kilobytes can unpack
to terabytes.
"""

import gzip
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Final

from cfroute.cloud_controller.documents import UnreadableDocument, read_yaml

LARGEST: Final = 4 * 1024**3
"""Bytes of a droplet, unpacked."""
_LARGEST_INFO = 1024 * 1024
_PIECE = 1024 * 1024
_NAME = PurePosixPath("staging_info.yml")
_WITHOUT_CONTENT = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)


class UnreadableDroplet(Exception):
    """It is no tgz, or unpacks to more than a droplet may have, or says something of itself that cannot be read."""


def process_types(file: IO[bytes], largest: int = LARGEST) -> dict[str, str]:
    """The commands that whoever built the droplet has found, by the type of process. Raises UnreadableDroplet.

    Upstream's builders write down the command of the web process alone.
    """
    try:
        text = _find(_Unpacked(file, largest))
        info = read_yaml(text) if text is not None else None
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, UnreadableDocument) as error:
        raise UnreadableDroplet from error
    if not isinstance(info, dict):
        return {}
    types = info.get("process_types") or {"web": info.get("start_command") or ""}
    return {str(kind): str(command) for kind, command in types.items()} if isinstance(types, dict) else {}


class _Unpacked:
    """What is in a gzip file, of which at most `largest` bytes are read."""

    def __init__(self, file: IO[bytes], largest: int) -> None:
        self._file = gzip.GzipFile(fileobj=file, mode="rb")
        self._left = largest

    def read(self, size: int) -> bytes:
        """So many bytes, or those that are left."""
        if not 0 <= size <= self._left:
            raise UnreadableDroplet
        self._left -= size
        return self._file.read(size)

    def skip(self, size: int) -> None:
        """Go on behind so many bytes."""
        if size > self._left:
            raise UnreadableDroplet
        while size > 0:
            piece = self.read(min(size, _PIECE))
            if not piece:
                raise EOFError
            size -= len(piece)


def _find(droplet: _Unpacked) -> bytes | None:
    """The file's content, if it is there.

    `tarfile` itself would hold headers of any size in memory, and go to the end of the archive.
    """
    while (header := droplet.read(tarfile.BLOCKSIZE)).strip(b"\0"):
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if member.isreg() and PurePosixPath(member.name) == _NAME:
            if member.size > _LARGEST_INFO:
                raise UnreadableDroplet
            return droplet.read(member.size)
        if member.type not in _WITHOUT_CONTENT:
            droplet.skip(-(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
    return None
