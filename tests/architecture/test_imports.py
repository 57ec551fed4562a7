"""Components meet in HTTP and NATS messages, in the values of cfroute/diego/api.py, and in the foundation."""

from . import source
from .source import Module, within

COMPONENTS = (
    "cfroute.uaa",
    "cfroute.cloud_controller",
    "cfroute.diego.bbs",
    "cfroute.diego.cell",
    "cfroute.diego.route_emitter",
    "cfroute.gorouter",
    "cfroute.load_balancer",
    "cfroute.locket",
    "cfroute.route_registrar",
    "cfroute.routing_api",
    "cfroute.tcp_router",
)
SHARED = (
    "cfroute.certificates",
    "cfroute.clock",
    "cfroute.config_file",
    "cfroute.daemon",
    "cfroute.debug_server",
    "cfroute.diego.api",
    "cfroute.diego.client",
    "cfroute.dropsonde",
    "cfroute.durations",
    "cfroute.entrance",
    "cfroute.errors",
    "cfroute.go",
    "cfroute.grpc",
    "cfroute.health",
    "cfroute.home",
    "cfroute.http2",
    "cfroute.http_client",
    "cfroute.jwt",
    "cfroute.lager",
    "cfroute.log_cache",
    "cfroute.locket.api",
    "cfroute.locket.client",
    "cfroute.logs",
    "cfroute.nats",
    "cfroute.protobuf",
    "cfroute.proxy",
    "cfroute.relay",
    "cfroute.resolver",
    "cfroute.routing_api.api",
    "cfroute.routing_api.client",
    "cfroute.routing_api.errors",
    "cfroute.routing_api.event_stream",
    "cfroute.routing_api.subscription",
    "cfroute.sqlite",
    "cfroute.start_error",
    "cfroute.uaa.client",
    "cfroute.unreadable",
    "cfroute.__version__",
)
# What the command line and the foundation see of a component: how it is started, and its in-process app.
ENTRANCES = {
    "cfroute.cli": ("main", "local", "config"),
    "cfroute.foundation": ("main", "config"),
}


def test_a_component_imports_itself_and_what_is_shared_and_nothing_else() -> None:
    found = [
        f"{module.at(node)}: {component} imports {name}"
        for component in COMPONENTS
        for module in source.modules()
        if within(module.name, component)
        for name, node in source.imports(module)
        if within(name, "cfroute") and not within(name, component, *SHARED)
    ]
    assert not found, "\n".join(found)


def test_what_is_shared_knows_no_component() -> None:
    found = [
        f"{module.at(node)}: imports {name}"
        for module in source.modules()
        if within(module.name, *SHARED)
        for name, node in source.imports(module)
        if within(name, *COMPONENTS, *ENTRANCES) and not within(name, *SHARED)
    ]
    assert not found, "\n".join(found)


def test_the_command_line_and_the_foundation_come_in_by_the_front_door() -> None:
    found = [
        f"{module.at(node)}: imports {name}"
        for package, doors in ENTRANCES.items()
        for module in source.modules()
        if within(module.name, package)
        for name, node in source.imports(module)
        for component in COMPONENTS
        if within(name, component) and not _through(name, component, doors)
    ]
    assert not found, "\n".join(found)


def _through(name: str, component: str, doors: tuple[str, ...]) -> bool:
    return name == component or within(name, *(f"{component}.{door}" for door in doors))


def test_only_the_renderers_import_rich() -> None:
    found = [
        f"{module.at(node)}: imports {name}"
        for module in source.modules()
        if not _renders(module)
        for name, node in source.imports(module)
        if within(name, "rich")
    ]
    assert not found, "\n".join(found)


def _renders(module: Module) -> bool:
    return module.path.name in {"render.py", "live.py"}


def test_no_program_needs_the_testing_package() -> None:
    found = [
        f"{module.at(node)}: imports {name}"
        for module in source.modules()
        if not within(module.name, "cfroute.testing")
        for name, node in source.imports(module)
        if within(name, "cfroute.testing")
    ]
    assert not found, "\n".join(found)
