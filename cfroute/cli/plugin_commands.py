"""Commands of plugins as commands of cfroute."""

import importlib
import traceback
from collections.abc import Callable
from typing import Any

import click

from cfroute import plugins
from cfroute.cli.session import Session
from cfroute.cli.shared_options import own_names, shared_options
from cfroute.plugins import BrokenPlugin, Command


def made(command: Command) -> click.Command:
    """The click command for it. Raises BrokenPlugin when there is none."""
    module, _, attribute = command.target.partition(":")
    try:
        target = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # code of somebody else
        raise BrokenPlugin(f"The command '{command.name}' of a plugin does not work: {plugins.told(error)}") from error
    if isinstance(target, click.Command):
        return _with_our_options(target)
    if not callable(target):
        raise BrokenPlugin(f"The command '{command.name}' of a plugin does not work: {command.target} is no command")
    return _program(command, target)


def warn(session: Session) -> None:
    """Name the plugins that do not work; with --debug say where they fail."""
    for plugin in plugins.broken():
        session.warn(plugin.warning())
        if session.debug:
            traceback.print_exception(plugin.error)


def _with_our_options(command: click.Command) -> click.Command:
    command.params += shared_options(own_names(command.params))
    return command


def _program(command: Command, main: Callable[[list[str]], int]) -> click.Command:
    """A command whose arguments, --help too, are its own."""

    def run(arguments: tuple[str, ...], **_: Any) -> None:
        context = click.get_current_context()
        context.obj.exit_code = main(list(arguments))

    return _Program(
        command.name,
        callback=run,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
        add_help_option=False,
        help=command.summary,
    )


class _Program(click.Command):
    """Shows the help that the program itself prints."""

    def get_help(self, ctx: click.Context) -> str:
        return f"{self.help}. Its options: {ctx.info_name} --help"
