"""From a name to its command: those of the catalog, which are imported when they are used, and those of plugins.

Some have two words, noun and verb: `config show`. What cf has keeps the name that it has there.
"""

import importlib

import click

from cfroute import plugins
from cfroute.cli.catalog import ALIASES, ENTRIES
from cfroute.cli.command import SETTINGS, help_of_noun
from cfroute.cli.failures import UnknownCommand
from cfroute.cli.session import Session
from cfroute.cli.shared_options import shared_options


def find(name: str, session: Session | None) -> click.Command | None:
    """The command called `name`; None when there is none. Plugins that do not work are told to the session then."""
    return load(name) or noun(name) or _from_plugin(name, session)


def load(name: str) -> click.Command | None:
    """The command of the catalog called `name`, imported; None when there is no such command."""
    entry = ENTRIES.get(ALIASES.get(name, name))
    if entry is None:
        return None
    module, attribute = entry.target.split(":")
    command: click.Command = getattr(importlib.import_module(f"cfroute.cli.{module}"), attribute)
    return command


def noun(name: str) -> "Noun | None":
    """The commands of two words that begin with `name`; None when there are none."""
    return Noun(name) if any(each.startswith(f"{name} ") for each in ENTRIES) else None


def _from_plugin(name: str, session: Session | None) -> click.Command | None:
    if (found := plugins.command(name)) is not None:
        from cfroute.cli.plugin_commands import made

        return made(found)
    if session is not None and plugins.broken():
        from cfroute.cli.plugin_commands import warn

        warn(session)
    return None


class Noun(click.Group):
    """The verbs of a noun; without one it tells which there are."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name, params=[*shared_options()], context_settings=SETTINGS, invoke_without_command=True, callback=_nothing_asked
        )

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name.split()[1] for name in ENTRIES if name.startswith(f"{self.name} ")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load(f"{self.name} {cmd_name}")

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.resilient_parsing or args[0].startswith("-") or self.get_command(ctx, args[0]):
            return super().resolve_command(ctx, args)
        raise UnknownCommand(f"{self.name} {args[0]}")

    def get_help(self, ctx: click.Context) -> str:
        return help_of_noun(str(self.name))


@click.pass_context
def _nothing_asked(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        click.echo(context.command.get_help(context))
