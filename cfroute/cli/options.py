"""Options and arguments: each has a kind (see `kinds`), by which it is completed, and each option a long name."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from cfroute.cli.kinds import FILE, JSON, OTHER, OUTPUT, PLACE, SECRET, kind_of
from cfroute.cli.session import Session

Function = TypeVar("Function", bound=Callable[..., Any] | click.Command)


class _Kind(click.Parameter):
    """What arguments and options have in common: `kind`. `values`: the only ones that can stand there."""

    def __init__(
        self, *arguments: Any, kind: str = "", values: Callable[[], Iterable[str]] | None = None, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.kind = kind_of(str(self.name), kind)
        self._values = values

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """The value. Where `-` stands for a stream, the command gets what it can work with."""
        given = super().process_value(ctx, value)
        if ctx.resilient_parsing or self.kind not in _STREAMS:
            return given
        if isinstance(given, tuple):
            return tuple(_STREAMS[self.kind](self, ctx) if each == "-" else each for each in given)
        return _STREAMS[self.kind](self, ctx) if given == "-" else given

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Its own values, or live ones; what the type of the parameter offers where there are none."""
        if self._values is not None:
            return [CompletionItem(value) for value in sorted(self._values()) if value.startswith(incomplete)]
        if self.kind in (FILE, OUTPUT, JSON, PLACE):
            return [CompletionItem(incomplete, type="file")]
        if not self.kind or self.kind in OTHER:
            return super().shell_complete(ctx, incomplete)
        from cfroute.cli.live_values import items

        return items(self.kind, ctx, incomplete)


def _line_of_stdin(parameter: click.Parameter, context: click.Context) -> str:
    """A secret, so that it stands in no list of processes and in no history."""
    if line := sys.stdin.readline().rstrip("\n"):
        return line
    raise click.UsageError(f"there is no {parameter.human_readable_name} on stdin")


def _file_of_stdin(parameter: click.Parameter, context: click.Context) -> str:
    """The name of a file with all of stdin, until the command is done."""
    stream = getattr(sys.stdin, "buffer", None)
    content = stream.read() if stream else sys.stdin.read().encode()
    file = context.with_resource(tempfile.NamedTemporaryFile(prefix="cfroute-stdin-"))  # noqa: SIM115
    file.write(content)
    file.flush()
    return file.name


def _file_for_stdout(parameter: click.Parameter, context: click.Context) -> str:
    """The name of a file that is written to stdout when the command is done; it says nothing else there."""
    if (session := context.find_object(Session)) is not None:
        session.quiet = True
    file = context.with_resource(tempfile.NamedTemporaryFile(prefix="cfroute-stdout-"))  # noqa: SIM115
    # pushed last, so done first: while the file is there
    context.call_on_close(lambda: _copy_to_stdout(Path(file.name)))
    return file.name


def _copy_to_stdout(path: Path) -> None:
    with path.open("rb") as file:
        sys.stdout.flush()
        shutil.copyfileobj(file, sys.stdout.buffer)


_STREAMS: dict[str, Callable[[click.Parameter, click.Context], str]] = {
    SECRET: _line_of_stdin,
    FILE: _file_of_stdin,
    OUTPUT: _file_for_stdout,
}
"""What `-` means, by the kind of the parameter."""


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
