"""The errors that a person gets to see.

Each says what was wrong and where (`message`), what to do next (`hint`), and has the exit status of its kind. Foreign
exceptions are turned into one of these once, at the boundary where they are first met; `cfroute.cli.main` is the one
place that prints them.

    CfrouteError            exit 1   something failed
    ├── UsageError          exit 2   the command line makes no sense
    ├── ConfigurationError  exit 1   a file or setting is wrong
    ├── NotRunning          exit 3   needs the foundation (or a component of it) to be up
    ├── NotFound            exit 4   the named thing does not exist, or a check was false
    ├── TimedOut            exit 5   it did not happen in time
    └── Conflict            exit 6   the port, folder or name is taken
"""

import os


class CfrouteError(Exception):
    """Something failed; `hint` says what to do next, or is empty."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CfrouteError):
    """The command line makes no sense."""

    exit_code = 2


class ConfigurationError(CfrouteError):
    """A configuration file or setting is wrong."""


def cannot_listen(host: str, port: int, error: OSError) -> ConfigurationError:
    """What to raise when an address cannot be bound."""
    # event loops and the resolver put sentences of their own where the system's word for it should be
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return ConfigurationError(f"cannot listen on {host}:{port}: {why.lower()}")


class NotRunning(CfrouteError):
    """The foundation, or the component that is needed, is not running."""

    exit_code = 3


class NotFound(CfrouteError):
    """The named thing does not exist, or a check was false."""

    exit_code = 4


class TimedOut(CfrouteError):
    """It did not happen in time."""

    exit_code = 5


class Conflict(CfrouteError):
    """The port, folder or name is taken."""

    exit_code = 6
