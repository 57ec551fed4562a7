"""What the nursery imports before it forks the components, which then share it.

Only what several components use: what one alone uses it imports itself, while the others do the same with theirs. That is sooner
done on two cores, and it takes less memory: of what a process uses, it soon holds a copy of its own, because Python counts
references inside of the objects. What is left out here costs time and memory, but breaks nothing.
"""

MODULES = (
    "cfroute.daemon",
    "cfroute.logs",
    "msgspec.yaml",
    "yaml",
    "encodings.idna",
    # Cloud Controller, BBS, cell, route emitter
    "cfroute.diego.client",
    # UAA, Cloud Controller, BBS
    "anyio._backends._asyncio",
    "starlette.applications",
    "uvicorn",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.httptools_impl",
    "cfroute.sqlite",
    # UAA, Cloud Controller, Gorouter
    "cfroute.jwt",
    # Gorouter, load balancer
    "cfroute.proxy.server",
    # Cloud Controller, Routing API
    "sqlalchemy.dialects.sqlite",
    # Gorouter, TCP router, route emitters, Cloud Controller
    "cfroute.uaa.client",
    "cfroute.routing_api.client",
    # Locket, Routing API, the emitter of diego_brain
    "cfroute.grpc.channel",
    # Cloud Controller, cell
    "cfroute.log_cache",
)
