"""Printing what went wrong, and the exit statuses (for people they are in `cfroute docs exit-codes`)."""

import difflib
import os
import traceback
from typing import Any

import click

from cfroute.cli import render
from cfroute.cli.catalog import ALIASES, DAEMONS, ENTRIES
from cfroute.cli.command import argument_name
from cfroute.cli.misuse import Misuse
from cfroute.cli.session import Session
from cfroute.cli.unsupported import COMMANDS, NotSupported
from cfroute.errors import CfrouteError, NotRunning, UsageError

FAILED = 1
INTERRUPTED = 130
READER_GONE = 141
TERMINATED = 143


class UnknownCommand(CfrouteError):
    """There is no such command. The hint names those that are spelled alike."""

    def __init__(self, name: str) -> None:
        alike = difflib.get_close_matches(name, [*ENTRIES, *ALIASES, *DAEMONS], n=3)
        hint = "\n".join(["Did you mean?", *(f"   {match}" for match in alike)]) if alike else ""
        super().__init__(f"'{name}' is not a registered command. See 'cfroute help -a'", hint)


def no_command(name: str) -> CfrouteError:
    """What to raise for a name that no command has: cf's own that are not here are told with the reason."""
    reason = COMMANDS.get(name)
    return NotSupported(name, reason) if reason else UnknownCommand(name)


class HttpStatus(CfrouteError):
    """`curl --fail` met an HTTP error; the exit status is curl's own."""

    exit_code = 22


def report(error: Exception, session: Session) -> int:
    """Print an error, and return the exit status that stands for it."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if session.debug:
        traceback.print_exception(error)
    told = _told(error, session)
    status = exit_status(told, cf_shaped=session.cf_shaped)
    if session.json:
        click.echo(render.json_line(_as_data(told, status)), err=True)
    elif isinstance(told, UsageError):
        _print_usage(told, session)
    else:
        _print(told, session)
    return status


def exit_status(error: CfrouteError, *, cf_shaped: bool | None) -> int:
    """The exit status of an error: its own, but 1 for a command of cf's (`cf_shaped`), whose scripts know nothing else.

    Two statuses are kept there too, because cf has no such case or the same status: not running, and curl's.
    """
    if isinstance(error, NotRunning | HttpStatus) or not cf_shaped:
        return error.exit_code
    return FAILED


def _told(error: Exception, session: Session) -> CfrouteError:
    """Any exception as one that a person understands."""
    if isinstance(error, NotRunning):
        return _with_target(error, session)
    if isinstance(error, CfrouteError):
        return error
    if isinstance(error, click.UsageError):
        return usage_error(error)
    if isinstance(error, click.ClickException):
        return CfrouteError(error.format_message())
    if isinstance(error, OSError) and error.filename is not None:  # what the system refuses is no fault of ours
        ours = str(error.filename).startswith(f"{session.home.root}{os.sep}")
        return CfrouteError(
            f"{error.filename}: {error.strerror}",
            "choose another state folder with --state-dir DIR or CFROUTE_HOME" if ours else "",
        )
    if (foreign := _misread(error, session)) is not None:
        return foreign
    return CfrouteError(f"internal error: {type(error).__name__}: {error}", _where_to_read(error, session))


def _misread(error: Exception, session: Session) -> CfrouteError | None:
    """The same as a fault of the endpoint somewhere else that has just answered, if there is one: its API need not be ours."""
    if "api" not in vars(session) or session.settings.endpoint is None or not session.api.asked:
        return None
    from cfroute.cli.access.answers import SURPRISES, misread  # most errors have nothing to do with answers

    return misread(session.api.asked, error) if isinstance(error, SURPRISES) else None


def _where_to_read(error: Exception, session: Session) -> str:
    from cfroute.cli import fault_report

    try:
        path = fault_report.write(error, session.arguments, session.home, session.clock.now())
    except (OSError, CfrouteError):
        return "This is a fault of cfroute. --debug shows where; please report it with that output."
    return f"This is a fault of cfroute. Please report it with {path}, which nobody has been sent; --debug shows it here."


def _with_target(error: NotRunning, session: Session) -> NotRunning:
    """Who has targeted an endpoint somewhere else may not have meant the foundation of the state folder."""
    try:
        api = session.settings.api
    except CfrouteError:
        return error
    if not api:
        return error
    return NotRunning(f"{error.message} in {session.home.root}", f"{error.hint}; the commands of cf use {api}, which is targeted")


def usage_error(error: click.UsageError) -> UsageError:
    """click's complaint in cf's words."""
    if isinstance(error, click.NoSuchOption):
        known = [o for p in error.ctx.command.params for o in p.opts if o.startswith("--")] if error.ctx else []
        alike = difflib.get_close_matches(error.option_name, [*known, "--help"], n=1)
        return UsageError(f"unknown flag `{error.option_name.lstrip('-')}'", f"Did you mean {alike[0]}?" if alike else "")
    if isinstance(error, click.BadOptionUsage):
        return UsageError(f"expected argument for flag `{error.option_name}'")
    if isinstance(error, click.BadParameter) and error.param is not None:
        isflag = isinstance(error.param, click.Option)
        where = f"flag `{max(error.param.opts, key=len)}'" if isflag else f"`{argument_name(error.param)}`"
        return UsageError(f"invalid argument for {where}: {error.message}")
    if error.message.startswith("Got unexpected extra argument"):
        extra = error.message[error.message.index("(") + 1 : error.message.rindex(")")].split()[0]
        return Misuse(f'Incorrect Usage: unexpected argument "{extra}"')
    return UsageError(error.message)


def _as_data(error: CfrouteError, status: int) -> dict[str, Any]:
    # Which kind of wrong usage it is matters only for how cf words it.
    kind = UsageError if isinstance(error, Misuse) else type(error)
    message = error.message.removeprefix("Incorrect Usage: ")
    details = {"type": kind.__name__, "message": message, "hint": error.hint, "exit_code": status}
    return {"error": details | getattr(error, "details", {})}


def _print(error: CfrouteError, session: Session) -> None:
    session.warn(error.message)
    tip_last = getattr(error, "tip_last", False)  # as an afterthought, where cf has it
    if error.hint and not tip_last:
        is_list = isinstance(error, UnknownCommand)
        session.warn("")
        session.warn(error.hint if is_list else f"TIP: {error.hint}")
    if isinstance(error, NotSupported) or session.cf_shaped:
        session.print(render.bad("FAILED"))
    if tip_last:
        session.print(f"\nTIP: {error.hint}")


def _print_usage(error: UsageError, session: Session) -> None:
    misused = isinstance(error, Misuse)
    session.warn(error.message if misused else f"Incorrect Usage: {error.message}")
    if error.hint:
        session.warn(error.hint)
    if misused and session.cf_shaped:
        session.print(f"{render.bad('FAILED')}\n")
    else:
        session.warn("")
    if session.command is not None:
        session.print(session.command.get_help(click.Context(session.command)))
    else:
        session.warn("See 'cfroute help'")
