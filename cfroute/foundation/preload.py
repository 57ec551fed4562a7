"""What the nursery imports before it forks the components, which then share it.

A daemon imports most of what it needs when it is imported itself. The rest, which it or its libraries import only when they are
used, is named here: what is left out costs time and memory in every process, but breaks nothing.
"""

MODULES = (
    "cfroute.daemon",
    "cfroute.load_balancer.main",
    "cfroute.gorouter.main",
    "cfroute.diego.cell.main",
    "cfroute.diego.route_emitter.main",
    "cfroute.diego.bbs.main",
    "cfroute.uaa.main",
    "cfroute.cloud_controller.main",
    # imported when they are used
    "encodings.idna",
    "httpcore",
    "anyio._backends._asyncio",
    "uvicorn",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "sqlalchemy.dialects.sqlite",
    "cfroute.uaa.app",
    "cfroute.uaa.store",
    "cfroute.cloud_controller.app",
    "cfroute.cloud_controller.parts",
    "cfroute.cloud_controller.seed",
    "cfroute.cloud_controller.diego_sync",
)
