"""Commands of two words, noun and verb: `config show`. What cf has keeps the name that it has there."""

import click

from cfroute.cli.catalog import ENTRIES
from cfroute.cli.command import SETTINGS, help_of_noun
from cfroute.cli.failures import UnknownCommand
from cfroute.cli.main import load
from cfroute.cli.shared_options import shared_options


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
