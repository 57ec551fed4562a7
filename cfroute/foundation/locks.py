"""One foundation in a state folder: whoever supervises it holds a lock, which ends with the process, however that ends."""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable

from cfroute.errors import Conflict
from cfroute.home import Home

_LONGEST = 100  # bytes of a Unix socket's path: 104 on macOS, 108 on Linux
_GRACE = 0.3  # seconds: somebody may just be looking whether the lock is held


def acquire(home: Home, pause: Callable[[float], None] = time.sleep) -> int:
    """Take the lock of this folder, and write our pid into it; the descriptor that holds it.

    Raises Conflict when a foundation runs here.
    """
    descriptor = os.open(home.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    waited = 0.0
    while not _try(descriptor, fcntl.LOCK_EX):
        if waited >= _GRACE:
            os.close(descriptor)
            raise Conflict(
                f"a foundation runs in {home.root} already (pid {holder(home) or 'unknown'})",
                "stop it with `cfroute down`, or start another one with --state-dir DIR and other ports",
            )
        pause(0.02)
        waited += 0.02
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def is_held(home: Home) -> bool:
    """Whether a foundation runs in this folder. Raises PermissionError for somebody else's."""
    try:
        descriptor = os.open(home.run / "lock", os.O_RDWR)
    except PermissionError:
        raise
    except OSError:  # never run here
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def holder(home: Home) -> int:
    """The pid that the last holder of the lock has left; 0 when there is none."""
    with contextlib.suppress(OSError, ValueError):
        return int((home.run / "lock").read_text())
    return 0


def control_address(home: Home) -> str:
    """The path of the control socket: in the state folder, or in /tmp where that would be too long for a socket."""
    path = str(home.run / "control.sock")
    if len(path.encode()) <= _LONGEST:
        return path
    digest = hashlib.sha256(str(home.root).encode()).hexdigest()[:16]
    # The client checks whose it is.
    return f"/tmp/cfroute-{os.getuid()}-{digest}.sock"  # noqa: S108


def _try(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
