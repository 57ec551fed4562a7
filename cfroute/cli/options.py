"""Options and arguments: each has a kind (see `kinds`), by which it is completed, and each option a long name."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from cfroute.cli.kinds import FILE, OTHER, SECRET, kind_of

Function = TypeVar("Function", bound=Callable[..., Any] | click.Command)


class _Kind(click.Parameter):
    """What arguments and options have in common: `kind`."""

    def __init__(self, *arguments: Any, kind: str = "", **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.kind = kind_of(str(self.name), kind)

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """The value; of a secret, `-` is a line of stdin, so that it stands in no list of processes and in no history."""
        given = super().process_value(ctx, value)
        return _line_of_stdin(self) if self.kind == SECRET and given == "-" and not ctx.resilient_parsing else given

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Live values; what the type of the parameter offers where there are none."""
        if self.kind == FILE:
            return [CompletionItem(incomplete, type="file")]
        if not self.kind or self.kind in OTHER:
            return super().shell_complete(ctx, incomplete)
        from cfroute.cli.live_values import items

        return items(self.kind, ctx, incomplete)


def _line_of_stdin(parameter: click.Parameter) -> str:
    if line := sys.stdin.readline().rstrip("\n"):
        return line
    raise click.UsageError(f"there is no {parameter.human_readable_name} on stdin")


class Argument(_Kind, click.Argument):
    """An argument with a kind."""


class Option(_Kind, click.Option):
    """An option with a kind."""


def argument(
    name: str, kind: str = "", *, required: bool = True, metavar: str | None = None, **settings: Any
) -> Callable[[Function], Function]:
    """An argument; `kind` where its name does not say it."""
    return click.argument(name, cls=Argument, kind=kind, required=required, metavar=metavar, **settings)


def option(*names: str, complete: str = "", **settings: Any) -> Callable[[Function], Function]:
    """An option; `complete` is its kind where its name does not say it.

    One that has only a letter in cf (`-f`) is also called as its parameter is (`--force`).
    """
    return click.option(*_with_long(names), cls=Option, kind=complete, **settings)


def _with_long(names: tuple[str, ...]) -> tuple[str, ...]:
    if any(name.startswith("--") for name in names):
        return names
    parameter = next(name for name in names if not name.startswith("-"))
    return (*names, f"--{parameter.replace('_', '-')}")


def route_options(purpose: str, *, port: str = "", hostname: str = "") -> Callable[[Function], Function]:
    """--hostname, --path and, with a text for it, --port."""

    def add(function: Function) -> Function:
        if port:
            function = option("--port", type=click.IntRange(0, 65535), help=port)(function)
        function = option("--path", help=f"Path {purpose}")(function)
        text = hostname or f"Hostname {purpose}"
        return option("--hostname", "-n", help=text)(function)

    return add


force = option("-f", "force", is_flag=True, help="Force deletion without confirmation")


def labels(plural: str) -> Callable[[Function], Function]:
    return option("--labels", help=f"Selector to filter {plural} by labels")
