"""`down`, `status`, `info` and `kill`: the foundation once it was started."""

import contextlib
import signal
from datetime import UTC, datetime
from typing import Any

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import NotRunning, UsageError


@command(
    "down",
    usage="cfroute down",
    examples=("cfroute down", "cfroute down --state-dir /tmp/other-foundation"),
    see_also=("up", "status"),
    cf_shaped=False,
)
def down(session: Session) -> None:
    if not session.foundation.is_up():
        return _end_leftovers(session)
    session.say("Stopping the foundation...")
    session.foundation.down()
    session.ok()
    return None


def _end_leftovers(session: Session) -> None:
    from cfroute.foundation import processes

    left = processes.end_leftovers(session.home)
    if not left:
        raise NotRunning("the foundation is not running")
    session.say(f"Ended {len(left)} processes of a supervisor that was killed: {', '.join(one.name for one in left)}")


@command(
    "status",
    usage="cfroute status [--json]",
    notes="Ends with status 3 when the foundation is not running.",
    examples=("cfroute status", "cfroute status --json"),
    see_also=("info", "restart", "kill", "logs"),
    cf_shaped=False,
    text=lambda components: _status_text(components),
)
def status(session: Session) -> list[dict[str, Any]]:
    return session.foundation.status()


def _status_text(components: list[dict[str, Any]]) -> str:
    headers = ("component", "state", "since", "pid", "address", "restarts", "last error")
    return render.table(headers, [_status_row(component) for component in components])


def _status_row(component: dict[str, Any]) -> tuple[str, ...]:
    state = component["state"]
    since = datetime.fromtimestamp(component["since"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if component["since"] else ""
    pid = str(component["pid"] or "")
    return component["name"], state, since, pid, component["address"], str(component["restarts"]), component["last_error"]


@command(
    "info",
    usage="cfroute info [--secrets | --env]",
    examples=("cfroute info", "cfroute info --secrets --json", "cfroute info --env > foundation.env"),
    see_also=("exec", "status", "up"),
    cf_shaped=False,
    text=lambda info: _info_text(info),
)
@option("--secrets", "with_secrets", is_flag=True, help="Show the passwords too")
@option("--env", "as_variables", is_flag=True, help="Show what other programs need to know, as exports for a shell")
def info(session: Session, with_secrets: bool, as_variables: bool) -> dict[str, Any] | None:
    if as_variables:
        from cfroute.cli.foundation import executing

        session.emit(executing.variables(session.home), executing.exports)
        return None
    known = session.foundation.info()
    return {**known, "secrets": _secrets(session)} if with_secrets else known


def _secrets(session: Session) -> dict[str, str]:
    from cfroute.foundation import secrets

    values = secrets.load_or_create(session.home)
    return {
        "admin_password": values.admin_password,
        "nats_user": values.nats_user,
        "nats_password": values.nats_password,
        "gorouter_status_user": values.gorouter_status_user,
        "gorouter_status_password": values.gorouter_status_password,
    }


def _info_text(info: dict[str, Any]) -> str:
    shown = {key: value for key, value in info.items() if key not in {"options", "secrets", "components"}}
    pairs = [(key.replace("_", " "), _plain(value)) for key, value in shown.items()]
    return render.block([*pairs, *info.get("secrets", {}).items()])


def _plain(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else "yes" if value is True else "no" if value is False else str(value)


@command(
    "kill",
    usage="cfroute kill COMPONENT [--signal SIGNAL]",
    notes="The supervisor starts the component again.",
    examples=("cfroute kill nats", "cfroute kill gorouter/0 --signal USR1", "cfroute kill cell/0 --signal STOP"),
    see_also=("status", "restart"),
    cf_shaped=False,
)
@argument("component")
@option("--signal", "signal_name", default="KILL", metavar="SIGNAL", help="Name or number of the signal (default: KILL)")
def kill(session: Session, component: str, signal_name: str) -> None:
    number = _signal(signal_name)
    killed = session.foundation.kill(component, number)
    session.say(f"Sent {number.name} to {render.name(killed['name'])} (pid {killed['pid']}).")
    session.ok()
    session.tip("'cfroute status' shows what becomes of it.")


def _signal(text: str) -> signal.Signals:
    with contextlib.suppress(KeyError, ValueError):
        return signal.Signals(int(text)) if text.isdigit() else signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"]
    raise UsageError(f"{text!r} is no signal", "for example: --signal TERM")
