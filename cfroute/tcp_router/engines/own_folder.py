"""The folder for the files of an HAProxy that is started here. It does not outlive its owner for long, however that ends.

The owner holds a lock on the folder, which the system takes away when the process is killed. Folders that nobody holds are
removed by the next owner.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PREFIX: Final = "cfroute-haproxy-"


@contextlib.contextmanager
def own_folder(parent: Path) -> Iterator[Path]:
    """A folder of our own below `parent` while the block runs. Raises OSError."""
    for folder in parent.glob(f"{PREFIX}*"):
        _remove_if_abandoned(folder)
    folder, lock = _made(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # whoever tidies up the temporary folder may have been here
        os.close(lock)


def _made(parent: Path) -> tuple[Path, int]:
    """A new folder, and the descriptor that holds it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with contextlib.suppress(FileNotFoundError):  # taken for abandoned in the moment before it was held
            lock = _opened(folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _remove_if_abandoned(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it is held, another user's, or another one removes it
        lock = _opened(folder)
        try:
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
        finally:
            os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
