"""The frame of every command: cf's help text, cf's words for wrong usage, the options that all commands have, and the output.

    @command("check-route", usage="…", examples=("…", "…"), see_also=("routes",))
    @click.argument("domain")
    def check_route(session: Session, domain: str) -> RouteCheck: …

A command returns data, or None. `text(data)` is printed, if the command has a text form; with --json and its like the data is.
"""

from collections.abc import Callable, Sequence
from typing import Any

import click

from cfroute.cli.catalog import ENTRIES
from cfroute.cli.session import Declined, Session
from cfroute.cli.shared_options import SharedOption, own_names, shared_options

HELP = ("--help, -h", "Show help")
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


class Command(click.Command):
    """A click command that speaks like cf.

    cf_shaped: a command that cf has too, and that keeps its habits: FAILED on stdout, exit status 1 for every failure.
    """

    def __init__(
        self,
        name: str,
        *,
        usage: str,
        examples: Sequence[str],
        see_also: Sequence[str] = (),
        environment: Sequence[tuple[str, str]] = (),
        notes: str = "",
        cf_shaped: bool = True,
        text: Callable[[Any], str] | None = None,
        **settings: Any,
    ) -> None:
        own = settings.get("params", [])
        settings["params"] = [*own, *shared_options(own_names(own))]
        entry = ENTRIES[name]
        super().__init__(name, short_help=entry.summary, context_settings=SETTINGS, **settings)
        self.usage, self.examples, self.see_also = usage, examples, see_also
        self.environment, self.notes, self.cf_shaped, self.text = environment, notes, cf_shaped, text

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if (session := ctx.find_object(Session)) is not None:
            session.command, session.cf_shaped = self, self.cf_shaped
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            raise self._missing(ctx, error) from error

    def _missing(self, ctx: click.Context, error: click.MissingParameter) -> click.UsageError:
        """cf names all missing arguments at once; click stops at the first."""
        if not isinstance(error.param, click.Argument):
            flag = max(error.param.opts, key=len) if error.param else ""
            return click.UsageError(f"the required flag `{flag}' was not specified", ctx)
        required = [p for p in self.params if isinstance(p, click.Argument) and p.required]
        *others, last = [f"`{argument_name(p)}`" for p in required[required.index(error.param) :]]
        if not others:
            return click.UsageError(f"the required argument {last} was not provided", ctx)
        return click.UsageError(f"the required arguments {', '.join(others)} and {last} were not provided", ctx)

    def invoke(self, ctx: click.Context) -> Any:
        session = ctx.find_object(Session)
        assert session is not None
        assert self.callback is not None
        try:
            data = ctx.invoke(self.callback, session, **ctx.params)
        except Declined as answer:
            session.say(str(answer))
            return
        if data is not None:
            session.emit(data, self.text)

    def get_help(self, ctx: click.Context) -> str:
        return help_text(self)


def argument_name(parameter: click.Parameter) -> str:
    """What help texts and messages call an argument."""
    return parameter.metavar or str(parameter.name).upper()


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command; see `Command` for the settings."""

    def decorate(function: Callable[..., Any]) -> Command:
        return click.command(name, cls=Command, **settings)(function)

    return decorate


def help_text(command: Command) -> str:
    """The help of a command in cf's layout."""
    entry = ENTRIES[str(command.name)]
    options = [p for p in command.params if isinstance(p, click.Option)]
    own = [p for p in options if not isinstance(p, SharedOption)]
    shared = [p for p in options if isinstance(p, SharedOption)]
    sections = [
        ("NAME", f"{entry.name} - {entry.summary}"),
        ("USAGE", command.usage.strip()),
        ("", command.notes.strip()),
        ("EXAMPLES", "\n".join(command.examples)),
        ("ALIAS", ", ".join(entry.aliases)),
        ("OPTIONS", _columns([(_names(p), p.help or "") for p in own])),
        ("OPTIONS OF EVERY COMMAND", _columns([*((_names(p), p.help or "") for p in shared), HELP])),
        ("ENVIRONMENT", _columns(list(command.environment))),
        ("SEE ALSO", ", ".join(command.see_also)),
    ]
    return "\n\n".join(_section(title, body) for title, body in sections if body)


def help_of_noun(noun: str) -> str:
    """The help of the commands that begin with this word."""
    verbs = [entry for entry in ENTRIES.values() if entry.name.startswith(f"{noun} ")]
    sections = [
        ("USAGE", f"cfroute {noun} ({' | '.join(entry.name.split()[1] for entry in verbs)})"),
        ("COMMANDS", _columns([(entry.name, entry.summary) for entry in verbs])),
        ("OPTIONS OF EVERY COMMAND", _columns([*((_names(p), p.help or "") for p in shared_options()), HELP])),
    ]
    return "\n\n".join(_section(title, body) for title, body in sections)


def _section(title: str, body: str) -> str:
    indented = "\n".join(f"   {line}" if line else "" for line in body.splitlines())
    return f"{title}:\n{indented}" if title else indented


def _names(option: click.Option) -> str:
    # Long before short, as cf writes them.
    names = ", ".join(sorted(option.opts, key=lambda name: not name.startswith("--")))
    return f"{names} {option.metavar}" if option.metavar else names


def _columns(rows: Sequence[tuple[str, str]]) -> str:
    width = max((len(left) for left, _ in rows), default=0) + 6
    return "\n".join(f"{left:<{width}}{right}" for left, right in rows)
