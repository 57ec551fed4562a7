"""The debug server: `PUT /log-level`. Go's profiles are not there: py-spy looks into a running process."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp

from cfroute.lager import DEBUG, ERROR, FATAL, INFO, Lager
from cfroute.routing_api.app import framed

_LEVELS = {
    **dict.fromkeys((b"debug", b"DEBUG", b"d", b"0"), DEBUG),
    **dict.fromkeys((b"info", b"INFO", b"i", b"1"), INFO),
    **dict.fromkeys((b"error", b"ERROR", b"e", b"2"), ERROR),
    **dict.fromkeys((b"fatal", b"FATAL", b"f", b"3"), FATAL),
}


def build(log: Lager) -> ASGIApp:
    """The app that changes the level of `log`; a word that is no level changes nothing."""

    async def set_level(request: Request) -> Response:
        level = _LEVELS.get((await request.body()).strip())
        if level is not None:
            log.set_level(level)
        return Response(status_code=200)

    return framed([Path("/log-level", set_level, methods=["PUT", "POST"])])
