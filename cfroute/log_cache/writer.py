"""Writing log lines, and keeping the files small."""

import fcntl
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from cfroute.clock import Clock, SystemClock

ROTATE_AT = 4 * 1024 * 1024  # bytes
MAX_PAYLOAD = 60 * 1024  # bytes of text in one envelope, as Cloud Foundry's log agent has it

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


class Envelope(msgspec.Struct, frozen=True):
    """One log line.

    `timestamp` in nanoseconds of the epoch, `source_type` like `APP/PROC/WEB`, `CELL`, `STG`.
    """

    timestamp: int
    source_type: str
    instance_id: str
    type: Literal["OUT", "ERR"]
    payload: str


class LogWriter:
    """Appends to the log files of one folder, from any number of processes at once."""

    def __init__(self, folder: str | Path, *, clock: Clock | None = None, rotate_at: int = ROTATE_AT) -> None:
        self._folder = Path(folder)
        self._clock = clock or SystemClock()
        self._rotate_at = rotate_at

    def write(self, app_guid: str, source_type: str, instance_id: str, text: str, error: bool = False) -> None:
        """Append one line; longer texts are cut at 60 KiB.

        Raises ValueError when `app_guid` is no possible file name, OSError when the disk does not take the
        line.
        """
        self.append(app_guid, [Envelope(self._clock.now_ns(), source_type, instance_id, "ERR" if error else "OUT", text)])

    def append(self, app_guid: str, envelopes: Iterable[Envelope]) -> None:
        """Append lines that have their time already; as `write` otherwise."""
        lines = b"".join(msgspec.json.encode(_bounded(envelope)) + b"\n" for envelope in envelopes)
        path = log_file(self._folder, app_guid)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, lines)
            if os.fstat(descriptor).st_size >= self._rotate_at:
                _rotate(path, descriptor)
        finally:
            os.close(descriptor)


def log_file(folder: Path, app_guid: str) -> Path:
    """Where the lines of an app are. Raises ValueError when the guid could lead out of the folder."""
    if not _NAME.match(app_guid):
        raise ValueError(f"not an app guid: {app_guid!r}")
    return folder / f"{app_guid}.log"


def older_file(path: Path) -> Path:
    """Where the older half of a log file is."""
    return path.with_name(f"{path.name}.1")


def remove(folder: str | Path, app_guid: str) -> None:
    """Forget everything an app has logged."""
    path = log_file(Path(folder), app_guid)
    older_file(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _rotate(path: Path, descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    # Another writer may have been first: then the path is a new file already, which must not be moved over
    # the old one.
    if _is_at(path, descriptor):
        path.replace(older_file(path))


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _bounded(envelope: Envelope) -> Envelope:
    raw = envelope.payload.encode("utf-8", "replace")
    return msgspec.structs.replace(envelope, payload=raw[:MAX_PAYLOAD].decode("utf-8", "ignore"))
