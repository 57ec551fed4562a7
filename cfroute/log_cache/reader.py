"""Reading log lines.

Strategy: readers mostly want the newest lines, several times a second, so files are read from their end,
block by block, and reading stops at the first line that is surely too old. Writers stamp a line before they
append it, so neighbouring lines may be out of order by a moment; DISORDER is how much of that is allowed for.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from cfroute.clock import Clock, SystemClock
from cfroute.log_cache.writer import Envelope, log_file, older_file

BLOCK = 64 * 1024  # bytes
DISORDER = 1_000_000_000  # ns
POLL = 0.1  # s

_decoder = msgspec.json.Decoder(Envelope)


def read(folder: str | Path, app_guid: str, start_ns: int = 0, limit: int = 100, descending: bool = False) -> list[Envelope]:
    """At most `limit` lines not older than `start_ns`: the first of them, or with `descending` the last,
    newest first.

    An app without lines has none. Lines that are no envelopes (a disk that was full) are left out.
    """
    found: list[Envelope] = []
    # With the newest wanted, lines beyond the limit can still sort before it only within the disorder.
    enough: int | None = None
    for envelope in _backwards(log_file(Path(folder), app_guid)):
        if envelope.timestamp < start_ns - DISORDER or (enough is not None and envelope.timestamp < enough):
            break
        if envelope.timestamp >= start_ns:
            found.append(envelope)
        if descending and enough is None and len(found) >= limit:
            enough = min(each.timestamp for each in found) - DISORDER
    found.reverse()  # the sort is stable: lines of one moment stay in the order they were written
    found.sort(key=lambda envelope: envelope.timestamp)
    if descending:
        found.reverse()
    return found[: max(limit, 0)]


async def follow(folder: str | Path, app_guid: str, *, clock: Clock | None = None) -> AsyncIterator[Envelope]:
    """The lines written from now on, for ever.

    Goes on over a rotation, and waits for a file that is not there yet.
    """
    clock = clock or SystemClock()
    path = log_file(Path(folder), app_guid)
    tail = _Tail(path)
    try:
        while True:
            for envelope in tail.new():
                yield envelope
            await clock.sleep(POLL)
    finally:
        tail.close()


class _Tail:
    """The growing end of a file that may be replaced by a new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._file = self._open()
        if self._file:
            self._file.seek(0, os.SEEK_END)

    def new(self) -> Iterator[Envelope]:
        """What came since the last call."""
        if self._file:
            yield from self._lines(self._file)
            if self._replaced(self._file):
                yield from self._lines(self._file)  # written between the read above and the rotation
                self.close()
        if self._file is None and (opened := self._open()):
            self._file = opened
            yield from self._lines(opened)

    def close(self) -> None:
        if self._file:
            self._file.close()
        self._file, self._rest = None, b""

    def _lines(self, file: BinaryIO) -> Iterator[Envelope]:
        *lines, self._rest = (self._rest + file.read()).split(b"\n")
        yield from _envelopes(lines)

    def _open(self) -> BinaryIO | None:
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            return None

    def _replaced(self, file: BinaryIO) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            return True


def _backwards(path: Path) -> Iterator[Envelope]:
    for part in (path, older_file(path)):
        try:
            file = part.open("rb")
        except FileNotFoundError:
            continue
        with file:
            yield from _envelopes(_lines_backwards(file))


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    position = file.seek(0, os.SEEK_END)
    rest = b""
    while position > 0:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        rest, *lines = (file.read(size) + rest).split(b"\n")
        yield from reversed(lines)
    yield rest


def _envelopes(lines: Iterator[bytes] | list[bytes]) -> Iterator[Envelope]:
    for line in lines:
        try:
            envelope = _decoder.decode(line)
        except msgspec.MsgspecError:
            continue
        yield envelope
