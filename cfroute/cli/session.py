"""One run of the command line: the options that every command has, the streams, and lazily what commands work with."""

import os
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from cfroute.cli import progress, render
from cfroute.errors import CfrouteError
from cfroute.home import Home

if TYPE_CHECKING:
    from cfroute.cli.access.api import Api
    from cfroute.cli.access.trace import Trace
    from cfroute.cli.settings import Settings
    from cfroute.cli.target import Target
    from cfroute.clock import Clock
    from cfroute.foundation.client import FoundationClient


FORMATS = ("text", "json", "jsonl", "plain", "none")
"""How data is printed: text for people; one JSON value; a JSON value a line; a record a line (see `plain`); not at all."""


class Declined(Exception):
    """Somebody was asked, and does not want it. The text is what to say then; no failure."""


class Session:
    """What a command gets handed.

    Messages for a person go through `say`: in cf's commands to stdout, where cf has them, in our own to stderr. With --json and
    its like stdout is for the data alone, and nothing is said; with --json and jsonl, stderr has a line of JSON for every
    warning and for the error.
    """

    def __init__(self) -> None:
        self.state_dir: str | None = None
        self.output = "text"
        self.quiet = False
        self.verbose = False
        self.no_input = False
        self.debug = False
        self.color = wants_color(os.environ)
        self.command: click.Command | None = None
        self.cf_shaped: bool | None = None  # whether the command keeps cf's habits; None while none is known
        self.arguments: list[str] = []
        self.exit_code = 0

    @property
    def json(self) -> bool:
        """Whether programs read along: warnings and errors are JSON."""
        return self.output in ("json", "jsonl")

    @property
    def for_people(self) -> bool:
        """Whether stdout has text for people, rather than data alone."""
        return self.output == "text"

    @property
    def home(self) -> Home:
        """The state folder of --state-dir or the environment."""
        return Home.find(self.state_dir)

    @cached_property
    def clock(self) -> "Clock":
        from cfroute.clock import SystemClock

        return SystemClock()

    @cached_property
    def foundation(self) -> "FoundationClient":
        from cfroute.foundation.client import FoundationClient

        return FoundationClient(self.home)

    @cached_property
    def api(self) -> "Api":
        """The Cloud Controller. Raises NotRunning when the foundation is up but the Cloud Controller is not."""
        from cfroute.cli.access.connection import connect

        wanted = self.for_people and not (self.quiet or self.verbose) and self.color is not False
        waiting = progress.on_terminal(wanted=wanted)
        return connect(self.home, self.foundation, self.settings, self.clock, self.warn, self.trace, waiting)

    @property
    def trace(self) -> "Trace | None":
        """What writes requests and responses, for --verbose and CF_TRACE. Raises ConfigurationError for an unusable file."""
        asked = os.environ.get("CF_TRACE", "")
        if not (self.verbose or asked):
            return None
        from cfroute.cli.access import trace

        return trace.Trace(trace.chosen(asked, verbose=self.verbose, to_stderr=self._write_trace), self.clock)

    def _write_trace(self, text: str) -> None:
        click.echo(render.json_line({"trace": text}) if self.json else text, err=True, color=False)

    @cached_property
    def settings(self) -> "Settings":
        """What was remembered from the last run. Raises ConfigurationError when that is damaged."""
        from cfroute.cli import settings

        return settings.load(self.home)

    @cached_property
    def target(self) -> "Target":
        """The targeted org and space. Looking at them raises CfrouteError when they do not exist."""
        from cfroute.cli.target import Target

        return Target(self.api, self.settings)

    @property
    def is_running(self) -> bool:
        """Whether apps can be started: the foundation is up, or the API is somewhere else, where that is taken for granted."""
        return self.settings.endpoint is not None or self.foundation.is_up()

    def need_local(self, what: str) -> None:
        """Raises CfrouteError when an endpoint somewhere else is targeted; `what` needs this machine's processes or files."""
        if api := self.settings.api:
            raise CfrouteError(
                f"{what} only for the foundation of the state folder, and {api} is targeted",
                "'cfroute api --unset' goes back to the foundation",
            )

    def reconnect(self) -> None:
        """Reach the API anew: the settings have another endpoint."""
        self.close()
        for made in ("api", "target"):
            self.__dict__.pop(made, None)

    def close(self) -> None:
        """Let go of what was opened."""
        if "api" in self.__dict__:
            self.api.close()

    def say(self, text: str = "") -> None:
        """Tell a person what happens."""
        self._tell(text, err=self.cf_shaped is False)

    def show(self, text: str = "") -> None:
        """Tell a person what a command was called for: like `say`, but always on stdout."""
        self._tell(text, err=False)

    def _tell(self, text: str, *, err: bool) -> None:
        if self.for_people and not self.quiet:
            click.echo(text, err=err, color=self.color)

    def ok(self) -> None:
        """Say that what was announced is done; as with cf, an empty line follows."""
        self.say(f"{render.good('OK')}\n")

    def tip(self, text: str) -> None:
        """Suggest what to do next."""
        self.say(f"TIP: {text}")

    def warn(self, text: str) -> None:
        """Say something that must not get lost, to stderr."""
        click.echo(render.json_line({"warning": text}) if self.json else text, err=True, color=self.color)

    def print(self, text: str) -> None:
        """Write data as text to stdout."""
        click.echo(text, color=self.color)

    def emit(self, data: Any, text: Callable[[Any], str] | None = None) -> None:
        """Write what a command was called for in the chosen format; `text` makes it text, if it can be."""
        for line in render.lines(self.output, data, text):
            self.print(line)

    def line(self, data: Any, text: str) -> None:
        """Write one item of a stream in the chosen format; there JSON is one value a line."""
        for line in render.lines("jsonl" if self.json else self.output, [data], lambda _: text):
            self.print(line)
        sys.stdout.flush()

    def ask(self, text: str, *, hidden: bool = False) -> str:
        """A line of what is typed; from a pipe, its next line. Raises CfrouteError when nobody can answer."""
        hint = f"'{text}' has to be given on the command line"
        if self.no_input:
            raise CfrouteError("nobody is there to ask", hint)
        if sys.stdin.isatty():
            return str(click.prompt(text, hide_input=hidden, err=not self.for_people))
        click.echo(f"{text}: ", err=not self.for_people)
        if not (line := sys.stdin.readline()):
            raise CfrouteError("nobody is there to ask", hint)
        return line.rstrip("\n")

    def confirm(self, question: str, *, otherwise: str) -> None:
        """Ask; for any answer but y or yes, `otherwise` is said and the command ends there: it raises Declined.

        Raises CfrouteError when nobody can answer: input is at its end, or --no-input was given, or with --json and its like
        there is no terminal to ask on (the question would stand among the data).
        """
        while not self.no_input and (sys.stdin.isatty() or self.for_people):
            click.echo(f"{question} [yN]: ", nl=False, err=not self.for_people, color=self.color)
            answer = sys.stdin.readline()
            if not answer:
                self.say()
                break
            if not sys.stdin.isatty():
                self.say(answer.strip())  # the terminal did not echo it, so the next message would share its line
            if (word := answer.strip().lower()) in ("y", "yes", "n", "no", ""):
                if word not in ("y", "yes"):
                    raise Declined(otherwise)
                return
            self.say("invalid input (not y, n, yes, or no)")
        raise CfrouteError("nobody is there to confirm", "use -f to go ahead without asking")


def wants_color(environment: "os._Environ[str] | dict[str, str]") -> bool | None:
    """Whether to use colour: True, False, or None for: on a terminal only.

    CF_COLOR decides, as for cf; then NO_COLOR and TERM=dumb, then FORCE_COLOR.
    """
    if (asked := environment.get("CF_COLOR", "").lower()) in ("true", "false"):
        return asked == "true"
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return True if environment.get("FORCE_COLOR") else None
