"""What the nursery imports before it forks a component, so that the components share it, in the order in which they are started.

A daemon imports most of what it needs when it is imported itself. The rest, which it or its libraries import only when they are
used, is named here: what is left out costs time and memory in every process, but breaks nothing.
"""

from itertools import chain

_HTTP_CLIENT = ("httpcore", "anyio._backends._asyncio", "encodings.idna")
_WEB_SERVER = (
    "uvicorn",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
_DATABASE = ("sqlalchemy.dialects.sqlite",)

IMPORTS: dict[str, tuple[str, ...]] = {
    "cfroute.load_balancer.main": ("encodings.idna",),
    "cfroute.gorouter.main": (),
    "cfroute.diego.cell.main": (*_HTTP_CLIENT, *_WEB_SERVER),
    "cfroute.diego.route_emitter.main": _HTTP_CLIENT,
    "cfroute.diego.bbs.main": (*_HTTP_CLIENT, *_WEB_SERVER),
    "cfroute.uaa.main": (*_WEB_SERVER, *_DATABASE, "cfroute.uaa.store", "cfroute.uaa.app"),
    "cfroute.cloud_controller.main": (*_HTTP_CLIENT, *_WEB_SERVER, *_DATABASE, "cfroute.cloud_controller.app"),
}

MODULES = ("cfroute.daemon", *dict.fromkeys(chain.from_iterable((name, *more) for name, more in IMPORTS.items())))
