"""The admin server: backup and restore lock the router groups meanwhile. It asks for no token, and listens on loopback."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Receive, Scope, Send

from cfroute.routing_api.app import framed, method_not_allowed
from cfroute.routing_api.backup import BackupLocks


def build(locks: BackupLocks) -> ASGIApp:
    """The app that sets `locks`."""
    return framed(
        [
            Path(f"/{verb}_router_group_{what}", _Switch(locks, f"{what}_locked", value=verb == "lock"))
            for verb in ("lock", "unlock")
            for what in ("reads", "writes")
        ]
    )


class _Switch:
    def __init__(self, locks: BackupLocks, attribute: str, *, value: bool) -> None:
        self._locks = locks
        self._attribute = attribute
        self._value = value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if Request(scope).method == "PUT":
            setattr(self._locks, self._attribute, self._value)
            response = Response(status_code=200)
        else:
            response = method_not_allowed({"PUT": self})
        await response(scope, receive, send)
