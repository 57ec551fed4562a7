"""Options that several commands share, with cf's names and words."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

Function = TypeVar("Function", bound=Callable[..., Any] | click.Command)
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _word(kind: str) -> Complete | None:
    """Completes with live values; see `live_values`."""
    if not kind:
        return None

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from cfroute.cli.live_values import items

        return items(kind, context, incomplete)

    return complete


def argument(
    name: str, complete: str = "", *, required: bool = True, metavar: str | None = None
) -> Callable[[Function], Function]:
    """An argument; `complete` names what it is completed with: app, domain, service, component …"""
    return click.argument(name, required=required, metavar=metavar, shell_complete=_word(complete))


def option(*names: str, complete: str = "", **settings: Any) -> Callable[[Function], Function]:
    """An option; `complete` as for `argument`."""
    return click.option(*names, shell_complete=_word(complete), **settings)


def route_options(purpose: str, *, port: str = "", hostname: str = "") -> Callable[[Function], Function]:
    """--hostname, --path and, with a text for it, --port."""

    def add(function: Function) -> Function:
        if port:
            function = option("--port", complete="port", type=click.IntRange(0, 65535), help=port)(function)
        function = click.option("--path", help=f"Path {purpose}")(function)
        text = hostname or f"Hostname {purpose}"
        return option("--hostname", "-n", complete="host", help=text)(function)

    return add


force = click.option("-f", "force", is_flag=True, help="Force deletion without confirmation")


def labels(plural: str) -> Callable[[Function], Function]:
    return click.option("--labels", help=f"Selector to filter {plural} by labels")
