"""What Go's messages say of calls that failed."""

import errno
import os

import pytest

from cfroute.go.syscall import reason


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOENT, os.strerror(errno.ENOENT), "/nowhere"), "no such file or directory"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), "permission denied"),
        (OSError("Unknown host"), "unknown host"),
    ],
    ids=["with a file", "without", "no number"],
)
def test_the_reason(error: OSError, said: str) -> None:
    assert reason(error) == said
