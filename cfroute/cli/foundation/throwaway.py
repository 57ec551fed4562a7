"""A foundation that exists for one command alone."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cfroute.cli.session import Session
from cfroute.foundation import detached
from cfroute.foundation.client import FoundationClient
from cfroute.foundation.options import Given
from cfroute.home import Home

_TIMEOUT = 60.0  # seconds
_FREE = Given(http_port=0, https_port=0, api_port=0, tcp_ports="0")


@contextlib.contextmanager
def foundation(session: Session) -> Iterator[Home]:
    """The state folder of one that runs while the block does, on ports that nobody else has."""
    with tempfile.TemporaryDirectory(prefix="cfroute-") as folder:
        home = Home(Path(folder))
        session.say("No foundation is running: starting one in a temporary folder...")
        detached.start(home, _FREE, _TIMEOUT, lambda event: None)
        try:
            yield home
        finally:
            session.say("Taking the foundation down.")
            FoundationClient(home).down()
