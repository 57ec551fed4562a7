"""Commands that take an app or a component by name."""

import re

from cfroute.cli.options import Function, option
from cfroute.cli.session import Session

NAMES = (
    "nats, uaa, cloud_controller, route_registrar, bbs, locket, tcp_emitter, cell/N, route_emitter/N, routing_api/N, gorouter/N, "
    "tcp_router/N or load_balancer"
)

_COMPONENT = re.compile(
    r"nats|uaa|cloud_controller|route_registrar|bbs|locket|tcp_emitter|load_balancer"
    r"|(cell|route_emitter|routing_api|gorouter|tcp_router)/\d+"
)


def is_meant(name: str, kind: str | None) -> bool:
    """Whether NAME means a component: --app and --component decide, else the closed set of component names does."""
    return kind == "component" if kind else _COMPONENT.fullmatch(name) is not None


def app_or_component(function: Function) -> Function:
    """--app and --component."""
    function = option("--component", "kind", flag_value="component", help="NAME is the name of a component")(function)
    return option("--app", "kind", flag_value="app", help="NAME is the name of an app")(function)


def restart(session: Session, name: str) -> None:
    """Restart a component. Raises NotRunning or NotFound."""
    from cfroute.cli.foundation.running import restart_component

    restart_component(session, name)


def logs(session: Session, name: str, *, follow: bool) -> None:
    """Print the log of a component. Raises NotFound."""
    from cfroute.cli.foundation.running import component_logs

    component_logs(session, name, follow=follow)
