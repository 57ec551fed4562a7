"""The debug server of lager's daemons: `PUT /log-level`. Go's profiles are not there: py-spy looks into a running process."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from cfroute import daemon
from cfroute.errors import ConfigurationError
from cfroute.lager import DEBUG, ERROR, FATAL, INFO, Lager

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  (as upstream, when the address has no host)
_LEVELS: Final = {
    **dict.fromkeys((b"debug", b"DEBUG", b"d", b"0"), DEBUG),
    **dict.fromkeys((b"info", b"INFO", b"i", b"1"), INFO),
    **dict.fromkeys((b"error", b"ERROR", b"e", b"2"), ERROR),
    **dict.fromkeys((b"fatal", b"FATAL", b"f", b"3"), FATAL),
}


@contextlib.asynccontextmanager
async def debugging(address: str, log: Lager) -> AsyncIterator[None]:
    """Serve at `HOST:PORT` while the block runs; an empty host is every address, "" is no server. Raises ConfigurationError."""
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise ConfigurationError(f"address {address}: missing port in address")
    async with daemon.serving(_app(log), host.strip("[]") or _EVERYWHERE, int(port)):
        yield


def _app(log: Lager) -> "ASGIApp":
    """The app that changes the level of `log`; a word that is no level changes nothing."""
    from starlette.applications import Starlette  # few have a debug server, and not all of them an app besides
    from starlette.responses import Response
    from starlette.routing import Route

    async def set_level(request: "Request") -> "Response":
        level = _LEVELS.get((await request.body()).strip())
        if level is not None:
            log.set_level(level)
        return Response(status_code=200)

    return Starlette(routes=[Route("/log-level", set_level, methods=["PUT", "POST"])])
