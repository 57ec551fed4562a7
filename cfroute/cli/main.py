"""The entry point: find the command, run it, and print what went wrong, in one place.

Nothing heavy is imported here: `cfroute --help` has to be there at once.
"""

import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cfroute import __version__, plugins
from cfroute.cli import failures
from cfroute.cli.catalog import DAEMONS, ENTRIES
from cfroute.cli.command import SETTINGS
from cfroute.cli.finding import find
from cfroute.cli.overview import overview
from cfroute.cli.session import Session
from cfroute.cli.shared_options import keep, shared_options
from cfroute.foundation.warmup import leave_out

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


_YOUNG = 100_000
"""Objects made between two collections: what is imported is never garbage, and looking for some took a fifth of the time."""

COMPLETION = "_CFROUTE_COMPLETE"
"""Set by the completion scripts: what the shell wants to know."""


class Program(click.Group):
    """`cfroute` itself: a group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(dict.fromkeys(name.split()[0] for name in ENTRIES))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        session = None if ctx.resilient_parsing else ctx.find_object(Session)
        return find(cmd_name, session)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.resilient_parsing or args[0].startswith("-") or self.get_command(ctx, args[0]):  # the first: for a completion
            return super().resolve_command(ctx, args)
        raise failures.no_command(args[0])

    def get_help(self, ctx: click.Context) -> str:
        return overview(complete=True)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Commands from the catalog: importing all of them to ask for their summaries would be felt at the prompt."""
        from click.shell_completion import CompletionItem

        known = [(entry.name, entry.summary) for entry in ENTRIES.values() if " " not in entry.name]
        known += [(name, "") for name in self.list_commands(ctx) if name not in ENTRIES]
        known += [(name, summary) for name, (_, summary) in DAEMONS.items()]
        known += [(command.name, command.summary) for plugin in plugins.installed() for command in plugin.commands]
        commands = [CompletionItem(name, help=text) for name, text in known if name.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(f"cfroute version {__version__}")
        context.exit()


def program() -> Program:
    """The click group of all commands."""
    version = click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version"
    )
    return Program(
        "cfroute",
        params=[*shared_options(), version],
        context_settings=SETTINGS,
        invoke_without_command=True,
        callback=_nothing_asked,
    )


@click.pass_context
def _nothing_asked(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        click.echo(overview(complete=False))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `cfroute docs exit-codes`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in DAEMONS:
        return daemon(given[0], given[1:])
    signal.signal(signal.SIGTERM, _terminated)
    _write_what_can_be_written()
    gc.set_threshold(_YOUNG)
    leave_out()
    session = Session()
    session.arguments = given
    if instruction := os.environ.get(COMPLETION):
        status = _complete(session, instruction)
        return _leave(status) if arguments is None else status
    try:
        _run(session, given)
        sys.stdout.flush()
        return session.exit_code
    except BrokenPipeError:
        return _reader_gone()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second one ends what is still being put in order
        click.echo(err=True)  # the prompt begins on a line of its own
        return failures.INTERRUPTED
    except Exception as error:
        if "--json" in given:  # wrong usage is found before the options are looked at
            keep(session, "json", True)
        return failures.report(error, session)
    finally:
        session.close()


def _write_what_can_be_written() -> None:
    """On a terminal that has not all characters, a `?` stands for those that it lacks; a command does not fail for them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _run(session: Session, arguments: list[str]) -> None:
    # Not Group.main: it would end the process by itself when the reader of the output goes away.
    cfroute = program()
    of_up = {} if _UNCONFIGURED & {*arguments} else _configured(session)
    with cfroute.make_context("cfroute", arguments, obj=session, default_map={"up": of_up}) as context:
        cfroute.invoke(context)


_UNCONFIGURED = frozenset({"-h", "--help", "--version", "help", "config", "docs", "completion"})
"""With one of these a broken file of configuration is in nobody's way."""


def _configured(session: Session) -> dict[str, Any]:
    """Give the session what is configured for all commands; what is for `up`. Raises ConfigurationError."""
    from cfroute.cli import configuration

    shared, of_up = configuration.split({name: each.value for name, each in configuration.here().items()})
    for name, value in shared.items():
        keep(session, name, value)
    return of_up


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    # As an exception it leaves every `with` on its way: a terminal is put right, a foundation of the demo taken down.
    sys.exit(failures.TERMINATED)


def _complete(session: Session, instruction: str) -> int:
    from cfroute.cli.shells import answer

    return answer(program(), session, COMPLETION, instruction)


def _leave(status: int) -> NoReturn:
    """End now: a thread that still looks for completions must not hold up the prompt."""
    sys.stdout.flush()
    os._exit(status)


def daemon(name: str, arguments: list[str]) -> int:
    """Run a component in the foreground with its own arguments."""
    from cfroute.entrance import call

    module: Any = importlib.import_module(DAEMONS[name][0])
    return call(module.main, arguments)


def _reader_gone() -> int:
    # `cfroute routes | head -1`: what is still buffered would make the interpreter complain at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return failures.READER_GONE


def run() -> NoReturn:
    """`python -m cfroute.cli.main`."""
    sys.exit(main())


if __name__ == "__main__":
    run()
