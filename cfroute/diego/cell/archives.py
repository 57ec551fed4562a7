"""Unpacking what users upload: nothing may land outside of the folder, and nothing but files, folders and links.

Packages come as zip, droplets as tgz. Both are read as a list of entries, each checked on its own just before it is
made: an earlier entry may be a link that makes a later one, harmless by its name, lead out.
"""

import gzip
import itertools
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cfroute.errors import CfrouteError

COPY = 256 * 1024  # bytes
LONGEST_LINK = 4096  # bytes

# What the readers raise for broken input: damaged streams, encrypted entries, names with NUL bytes, absurd numbers.
BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
    OverflowError,
)


class ArchiveError(CfrouteError):
    """The archive is broken, too big, or wants to put something where it must not be."""


@dataclass(frozen=True)
class Entry:
    """One entry: a folder, a link to `link`, or a file that `open` reads. mode are permission bits."""

    name: str
    mode: int
    is_folder: bool = False
    link: str | None = None
    open: Callable[[], IO[bytes] | None] | None = None


def unpack(archive: str | Path, into: str | Path, max_bytes: int) -> None:
    """Unpack a zip or tar file (compressed or not). Raises ArchiveError; then the folder is half filled."""
    root = Path(into)
    root.mkdir(parents=True, exist_ok=True)
    try:
        entries = _zip_entries if zipfile.is_zipfile(archive) else _tar_entries
        budget = max_bytes
        for entry in entries(Path(archive)):
            budget -= _make(root, entry, budget)
    except BROKEN as error:
        raise ArchiveError(f"the archive cannot be read: {error}") from error


def pack(folder: Path, archive: Path) -> None:
    """Pack everything in the folder as tgz."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)


def _make(root: Path, entry: Entry, budget: int) -> int:
    """Make one entry; the bytes that it took."""
    target = _target(root, entry.name)
    if target == root:
        return 0
    if entry.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    if entry.link is not None:
        _check_link(root, target, entry)
        target.symlink_to(entry.link)
        return 0
    source = entry.open() if entry.open else None
    if source is None:
        raise ArchiveError(f"{entry.name} has no content")
    with source, target.open("xb") as file:
        size = _copy(source, file, budget)
    target.chmod(0o600 | (entry.mode & 0o777))
    return size


def _target(root: Path, name: str) -> Path:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name:
        raise ArchiveError(f"{name} would lead out of the container")
    target = root.joinpath(*pure.parts)
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise ArchiveError(f"{name} would lead out of the container through a link")
    return target


def _check_link(root: Path, target: Path, entry: Entry) -> None:
    """A link may go up only at its beginning, and not above the root.

    There it is followed from a real folder, so that no other link, earlier or later, can change where it leads.
    """
    assert entry.link is not None
    parts = PurePosixPath(entry.link).parts
    up = list(itertools.takewhile(lambda part: part == "..", parts))
    leads_to = Path(os.path.normpath(target.parent.resolve().joinpath(*up)))
    within = leads_to.is_relative_to(root.resolve()) and not PurePosixPath(entry.link).is_absolute()
    if not within or ".." in parts[len(up) :]:
        raise ArchiveError(f"{entry.name} is a link out of the container, to {entry.link}")


def _copy(source: IO[bytes], file: IO[bytes], budget: int) -> int:
    size = 0
    while chunk := source.read(COPY):
        size += len(chunk)
        if size > budget:
            raise ArchiveError("the archive holds more than the disk quota allows")
        file.write(chunk)
    return size


def _tar_entries(archive: Path) -> Iterator[Entry]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isdir():
                yield Entry(member.name, member.mode, is_folder=True)
            elif member.issym():
                yield Entry(member.name, member.mode, link=member.linkname)
            elif member.isfile() or member.islnk():
                # a hard link is read as the file that it names, so that it cannot name one outside
                yield Entry(member.name, member.mode, open=lambda m=member: tar.extractfile(m))  # type: ignore[misc]
            else:
                raise ArchiveError(f"{member.name} is neither a file nor a folder nor a link")


def _zip_entries(archive: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as pack_:
        for info in pack_.infolist():
            mode = info.external_attr >> 16
            if info.is_dir():
                yield Entry(info.filename, mode, is_folder=True)
            elif stat.S_ISLNK(mode):
                yield Entry(info.filename, mode, link=_zip_link(pack_, info))
            else:
                yield Entry(info.filename, mode or 0o644, open=lambda i=info: pack_.open(i))  # type: ignore[misc]


def _zip_link(pack_: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    if info.file_size > LONGEST_LINK:
        raise ArchiveError(f"{info.filename} is a link to an impossible name")
    return pack_.read(info).decode("utf-8", "surrogateescape")


def remove(folder: Path) -> None:
    """Remove a folder and everything in it, also what an app has made unreadable."""

    def retry(function: Callable[[str], object], path: str, _error: object) -> None:
        Path(path).parent.chmod(0o700)
        if Path(path).is_dir() and not Path(path).is_symlink():
            Path(path).chmod(0o700)
        function(path)

    shutil.rmtree(folder, onerror=retry)
