"""The options that every command has, before and after its name.

A short form gives way to an option of the command's own with the same letter (`create-org -q`), a long one too (`curl --output`):
commands that cf has mean by an option what cf means. Before the name of the command all of them are there.
"""

from collections.abc import Collection, Iterable
from typing import Any

import click

from cfroute.cli.session import FORMATS, Session

WHEN = ("auto", "always", "never")


def shared_options(taken: Collection[str] = ()) -> list[click.Option]:
    """The options for a command that has those called `taken` itself."""
    return [SharedOption(names, **settings) for names, settings in _declared(taken)]


def own_names(parameters: Iterable[click.Parameter]) -> set[str]:
    """All names of options that the parameters have."""
    return {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)}


class SharedOption(click.Option):
    """An option whose value the session keeps, whichever command it stands at."""

    def __init__(self, names: list[str], **settings: Any) -> None:
        super().__init__(names, expose_value=False, callback=_keep, is_eager=True, **settings)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    session = context.find_object(Session)
    if session is not None and value and parameter.name:
        keep(session, parameter.name, value)


def keep(session: Session, name: str, value: Any) -> None:
    """Set what the option of that name stands for."""
    attribute, meaning = _MEANINGS.get((name, value), (name, value))
    setattr(session, attribute, meaning)


_MEANINGS: dict[tuple[str, Any], tuple[str, Any]] = {
    ("json", True): ("output", "json"),
    ("plain", True): ("output", "plain"),
    ("color", "auto"): ("color", None),
    ("color", "always"): ("color", True),
    ("color", "never"): ("color", False),
    ("no_color", True): ("color", False),
}
"""Values of options that are values of other attributes of the session."""


_OPTIONS: tuple[tuple[list[str], dict[str, Any]], ...] = (
    (["--json"], {"is_flag": True, "help": "Print data as JSON on stdout; warnings and errors as lines of JSON on stderr"}),
    (["--plain"], {"is_flag": True, "help": "Print data as one record a line, its fields between tabs"}),
    (
        ["--output", "-o"],
        {"type": click.Choice(FORMATS), "metavar": "FORMAT", "help": f"Print data as {', '.join(FORMATS)} (default: text)"},
    ),
    (["--quiet", "-q"], {"is_flag": True, "help": "Do not say what is being done"}),
    (["--verbose", "-v"], {"is_flag": True, "help": "Show requests and responses on stderr, without what is secret"}),
    (["--color"], {"type": click.Choice(WHEN), "metavar": "WHEN", "help": "Use colour auto, always or never (default: auto)"}),
    (["--no-color"], {"is_flag": True, "help": "Use no colour"}),
    (["--no-input"], {"is_flag": True, "help": "Never ask: fail where a confirmation is needed"}),
    (["--debug"], {"is_flag": True, "help": "Show the traceback of an error"}),
    (["--state-dir"], {"metavar": "DIR", "help": "State folder (default: $CFROUTE_HOME, or the user's state folder)"}),
)


def _declared(taken: Collection[str]) -> Iterable[tuple[list[str], dict[str, Any]]]:
    for names, settings in _OPTIONS:
        if free := [name for name in names if name not in taken and names[0] not in taken]:
            yield free, settings
