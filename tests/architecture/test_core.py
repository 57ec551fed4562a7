"""The core decides, the shell does: the modules that decide do no IO and read neither time nor chance."""

from fnmatch import fnmatchcase

import pytest

from . import source
from .source import within

# Globs over dotted names without the leading "cfroute."; each has to match something.
CORE = (
    "cli.manifest",
    "cli.routing_table",
    "cli.tcp_table",
    "cloud_controller.brokers.catalog",
    "cloud_controller.brokers.outcomes",
    "cloud_controller.brokers.requests",
    "cloud_controller.desired",
    "cloud_controller.environment",
    "cloud_controller.manifest*",
    "cloud_controller.permissions",
    "cloud_controller.presenters.*",
    "cloud_controller.query",
    "cloud_controller.router_groups",
    "cloud_controller.validation.*",
    "diego.api",
    "diego.bbs.auction",
    "diego.bbs.lrps",
    "diego.bbs.state",
    "diego.cell.environment",
    "diego.cell.proxy_request",
    "diego.cell.reconcile",
    "diego.cell.rotation",
    "diego.route_emitter.endpoints",
    "diego.route_emitter.messages",
    "diego.route_emitter.routes",
    "diego.route_emitter.table",
    "diego.route_emitter.unregistrations",
    "dropsonde",
    "durations",
    "foundation.configs",
    "foundation.names",
    "foundation.option_values",
    "foundation.plan",
    "foundation.policy",
    "foundation.rendering.basis",
    "foundation.rendering.control",
    "foundation.rendering.diego",
    "foundation.rendering.http",
    "foundation.rendering.tcp",
    "gorouter.logs.access_record",
    "gorouter.tls.caller",
    "gorouter.tls.ciphers",
    "gorouter.tls.client_rules",
    "gorouter.logs.attempt_log",
    "gorouter.config_validation",
    "gorouter.routing_table.endpoint",
    "gorouter.errors",
    "gorouter.errors",
    "gorouter.failures",
    "go.*",
    "gorouter.handlers.*",
    "gorouter.tls.identity_domains",
    "gorouter.routing_table.hashing",
    "gorouter.routing_table.maglev",
    "gorouter.nats.messages",
    "gorouter.nats.inbox",
    "gorouter.nats.servers",
    "gorouter.nats.wire",
    "gorouter.metrics.exposition",
    "gorouter.metrics.families",
    "gorouter.metrics.meters",
    "gorouter.metrics.reporter",
    "gorouter.metrics.sampling",
    "gorouter.metrics.snapshot",
    "gorouter.metrics.varz",
    "gorouter.metrics.varz_counts",
    "gorouter.pipeline",
    "gorouter.routing_table.pool",
    "gorouter.routing_table.registry",
    "gorouter.routing_table.route_key",
    "gorouter.routing_table.route_options",
    "gorouter.route_services",
    "gorouter.routing_table.routes",
    "gorouter.routing_api.endpoints",
    "gorouter.routing_table.selection",
    "gorouter.signature",
    "gorouter.sticky",
    "gorouter.routing_table.tags",
    "gorouter.tracing",
    "gorouter.workers.activity",
    "gorouter.workers.handover",
    "gorouter.workers.journal",
    "gorouter.workers.messages",
    "gorouter.workers.pauses",
    "gorouter.workers.replica",
    "gorouter.workers.slots",
    "gorouter.workers.tally",
    "gorouter.workers.totals",
    "grpc.status",
    "grpc.wire",
    "http2.budget",
    "http2.connection",
    "http2.frames",
    "http2.hpack_blocks",
    "http2.messages",
    "http2.stream",
    "load_balancer.balancer",
    "locket.api",
    "locket.locks",
    "protobuf",
    "proxy.alerts",
    "proxy.chunked",
    "proxy.client_hello",
    "proxy.head",
    "proxy.headers",
    "proxy.policy",
    "proxy.proxy_line",
    "proxy.status",
    "proxy.target",
    "proxy.verification",
    "relay.counts",
    "relay.routes",
    "relay.session",
    "relay.values",
    "resolver",
    "routing_api.backup",
    "routing_api.bodies",
    "routing_api.errors",
    "routing_api.event_stream",
    "routing_api.flags",
    "routing_api.api",
    "routing_api.router_groups",
    "routing_api.tokens",
    "routing_api.upserts",
    "routing_api.validation",
    "tcp_router.backend_tls",
    "tcp_router.flags",
    "tcp_router.frontends",
    "tcp_router.haproxy_text",
    "tcp_router.port_check",
    "tcp_router.stats",
    "tcp_router.table",
    "tcp_router.table_view",
    "tcp_router.updates",
    "uaa.accounts",
    "uaa.errors",
    "uaa.lockout",
    "uaa.requests",
    "uaa.scim",
    "uaa.scim_filter",
    "uaa.tokens",
)
# Chance is handed in: the name of its type may be imported, an instance may not be made.
HANDED_IN = ("random.Random",)
FORBIDDEN = (
    "asyncio",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "httpx",
    "multiprocessing",
    "nats",
    "os",
    "random",
    "secrets",
    "socket",
    "sqlalchemy",
    "ssl",
    "starlette",
    "subprocess",
    "threading",
    "time",
    "uuid",
    "uvicorn",
    "uvloop",
)


def core(pattern: str) -> list[source.Module]:
    return [m for m in source.modules() if fnmatchcase(m.name.removeprefix("cfroute."), pattern)]


@pytest.mark.parametrize("pattern", CORE)
def test_the_core_only_decides(pattern: str) -> None:
    matching = core(pattern)
    assert matching, f"no module is called cfroute.{pattern} any more: change the list"
    found = [
        f"{module.at(node)}: imports {name}"
        for module in matching
        for name, node in source.imports(module, typing_too=False)
        if within(name, *FORBIDDEN) and name not in HANDED_IN
    ]
    found += [
        f"{module.at(call)}: calls {name}"
        for module in matching
        for name, call in source.calls(module)
        if within(name, *FORBIDDEN)
    ]
    assert not found, "\n".join(found)
