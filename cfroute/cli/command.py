"""The frame of every command: cf's help text, cf's words for wrong usage, the options that all commands have, and the output.

    @command("check-route", usage="…", examples=("…", "…"), see_also=("routes",))
    @click.argument("domain")
    def check_route(session: Session, domain: str) -> RouteCheck: …

A command returns data, or None. With --json the data is printed; else `text(data)` is, if the command has a text form.
"""

from collections.abc import Callable, Sequence
from typing import Any

import click

from cfroute.cli import render
from cfroute.cli.catalog import ENTRIES
from cfroute.cli.session import Session

HELP = ("--help, -h", "Show help")
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and parameter.name:
        setattr(context.find_object(Session), parameter.name, value)


def global_options() -> list[click.Option]:
    """The options that are accepted before and after the name of every command."""

    def option(name: str, text: str, **settings: Any) -> click.Option:
        return click.Option([name], help=text, expose_value=False, callback=_keep, is_eager=True, **settings)

    return [
        option("--json", "Print data as JSON on stdout; warnings and errors as lines of JSON on stderr", is_flag=True),
        option("--quiet", "Do not say what is being done", is_flag=True),
        option("--no-input", "Never ask: fail where a confirmation is needed", is_flag=True),
        option("--debug", "Show the traceback of an error", is_flag=True),
        option("--state-dir", "State folder (default: $CFROUTE_HOME, or the user's state folder)", metavar="DIR"),
    ]


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
        settings["params"] = [*settings.get("params", []), *global_options()]
        entry = ENTRIES[name]
        super().__init__(name, short_help=entry.summary, context_settings=SETTINGS, **settings)
        self.usage, self.examples, self.see_also = usage, examples, see_also
        self.environment, self.notes, self.cf_shaped, self.text = environment, notes, cf_shaped, text

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if (session := ctx.find_object(Session)) is not None:
            session.command = self
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            raise self._missing(ctx, error) from error

    def _missing(self, ctx: click.Context, error: click.MissingParameter) -> click.UsageError:
        """cf names all missing arguments at once; click stops at the first."""
        if not isinstance(error.param, click.Argument):
            return error
        required = [p for p in self.params if isinstance(p, click.Argument) and p.required]
        *others, last = [f"`{argument_name(p)}`" for p in required[required.index(error.param) :]]
        if not others:
            return click.UsageError(f"the required argument {last} was not provided", ctx)
        return click.UsageError(f"the required arguments {', '.join(others)} and {last} were not provided", ctx)

    def invoke(self, ctx: click.Context) -> Any:
        session = ctx.find_object(Session)
        assert session is not None
        assert self.callback is not None
        data = ctx.invoke(self.callback, session, **ctx.params)
        if data is None:
            return
        if session.json:
            session.print(render.json_text(data))
        elif self.text is not None:
            session.print(self.text(data))

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
    own = [p for p in options if p.callback is not _keep]
    shared = [p for p in options if p.callback is _keep]
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
