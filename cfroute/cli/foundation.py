"""`up`, `down`, `status`, `info` and `kill`; and the component's part of `restart` and `logs`."""

import contextlib
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import NotRunning, UsageError

if TYPE_CHECKING:
    from cfroute.foundation.events import Event
    from cfroute.foundation.options import Given

_RECENT_LINES = 100
_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True)
_POLL = 0.2  # seconds between two looks at a log that is followed


@command(
    "up",
    usage="cfroute up [--detach] [--domain DOMAIN] [--http-port PORT] [--gorouters N] [--cells N] [--tcp-routers N]\n"
    "   [--tcp-ports FIRST-LAST] [--nats URL] [--without COMPONENT]",
    notes="The state folder remembers the options: a later 'cfroute up' needs only those that change.\n"
    "Ctrl-C ends the foundation; a second one ends it by force.",
    examples=(
        "cfroute up",
        "cfroute up --detach",
        "cfroute up --detach --http-port 80 --https-port 443",
        "cfroute up --gorouters 2 --cells 2",
        "cfroute up --nats nats://nats:PASSWORD@10.0.0.5:4222",
        "cfroute up --no-route-integrity",
        "cfroute up --tcp-routers 2 --tcp-ports 2000-2099",
        "cfroute up --without routing-api --routing-api http://10.0.0.5:3000",
    ),
    see_also=("down", "status", "info", "push", "demo"),
    cf_shaped=False,
    text=lambda info: _where(info),
)
@option("--detach", "-d", is_flag=True, help="Run in the background, and return when the foundation is ready")
@option("--wait/--no-wait", default=True, help="With --detach: whether to wait until it is ready (default: wait)")
@option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    metavar="S",
    help="Give up when it is not ready after S seconds (default: 60)",
)
@option("--domain", metavar="DOMAIN", help="Domain of the apps (default: cf.localhost)")
@option("--http-port", type=int, metavar="PORT", help="Port of the load balancer (default: 8080; 0 picks a free one)")
@option("--https-port", type=int, metavar="PORT", help="Its port for HTTPS (default: 8443; 0 picks a free one)")
@option("--api-port", type=int, metavar="PORT", help="Port of the Cloud Controller's API (default: 9022; 0 picks a free one)")
@option(
    "--single-address/--own-addresses",
    default=None,
    help="Use free ports of 127.0.0.1 only, instead of an address for every VM; --own-addresses ends that",
)
@option("--gorouters", type=int, metavar="N", help="Number of Gorouters (default: 1)")
@option("--cells", type=int, metavar="N", help="Number of Diego cells (default: 1)")
@option("--nats", metavar="URL[,URL]", help="Use these NATS servers; 'embedded' goes back to one of our own")
@option(
    "--route-integrity/--no-route-integrity",
    default=None,
    help="Whether routers reach instances by TLS and check which one answers (default: they do)",
)
@option("--tcp-routers", type=int, metavar="N", help="Number of TCP routers (default: 1; 0: no TCP routing)")
@option("--tcp-ports", metavar="FIRST-LAST", help="Ports of TCP routes (default: 1024-1123; 0 picks 100 that are free)")
@option("--tcp-engine", type=click.Choice(["embedded", "haproxy"]), help="What moves the bytes of TCP routes (default: embedded)")
@option("--routing-apis", type=int, metavar="N", help="Number of Routing APIs; one works, the others wait (default: 1)")
@option(
    "--routing-database", metavar="URL", help="Keep the TCP routes in this MySQL or PostgreSQL; 'embedded' goes back to a file"
)
@option("--without", multiple=True, metavar="COMPONENT", help="Leave it out, for somebody else to run; 'none' ends that")
@option("--routing-api", metavar="URL", help="Use this Routing API; 'embedded' goes back to one of our own")
@option("--uaa", metavar="URL", help="Use this UAA; 'embedded' goes back to one of our own")
@option("--locket", metavar="HOST:PORT", help="Use this Locket; 'embedded' goes back to one of our own")
@option("--external-ca", type=_FILE, metavar="FILE", help="The authority of those components that run elsewhere")
@option("--external-cert", type=_FILE, metavar="FILE", help="The certificate that they are shown")
@option("--external-key", type=_FILE, metavar="FILE", help="Its key")
def up(
    session: Session, detach: bool, wait: bool, timeout: float, without: tuple[str, ...], **given: Any
) -> dict[str, Any] | None:
    from cfroute.foundation.options import Given

    start = _up_detached if detach else _up_here
    return start(session, Given(without=without or None, **given), timeout, wait)


def _up_detached(session: Session, given: "Given", timeout: float, wait: bool) -> dict[str, Any]:
    from cfroute.foundation import detached, preparation

    preparation.check(session.home, given)
    session.say(f"Starting the foundation in {render.name(session.home.root)}...")
    detached.start(session.home, given, timeout, lambda event: _say_ready(session, event), wait=wait)
    return session.foundation.info()


def _say_ready(session: Session, event: "Event") -> None:
    from cfroute.foundation.events import Ready, Warned

    match event:
        case Ready(seconds):
            session.say(f"{render.good('Ready')} in {seconds:.1f} s.")
        case Warned(text):
            session.warn(text)


def _up_here(session: Session, given: "Given", timeout: float, wait: bool) -> None:
    from cfroute.foundation import launch, preparation

    preparation.check(session.home, given)

    def where() -> str:
        return render.json_text(session.foundation.info()) if session.json else _where(session.foundation.info())

    with _view(session, where) as view:
        status = launch.supervise(session.home, given, view, timeout)
    if status:
        click.get_current_context().exit(status)


def _view(session: Session, where: Callable[[], str]) -> contextlib.AbstractContextManager[Callable[["Event"], None]]:
    """What shows the events: a live table on a terminal, lines elsewhere."""
    if sys.stdout.isatty() and not session.json and not session.quiet and session.color is not False:
        from cfroute.cli.live import components_view

        return components_view(session.home, where)
    session.say(f"Starting the foundation in {render.name(session.home.root)}...")

    def tell(event: "Event") -> None:
        _show(session, event, where)

    return contextlib.nullcontext(tell)


def _show(session: Session, event: "Event", where: Callable[[], str]) -> None:
    from cfroute.foundation.events import Ready, StateChanged, Stopping, Warned

    match event:
        case StateChanged(component) if component.state in {"running", "unhealthy", "backing-off", "external"}:
            trouble = f"   {component.last_error}" if component.state in {"unhealthy", "backing-off"} else ""
            session.say(f"   {component.name:<18}{component.state:<13}{component.address}{trouble}")
        case Warned():
            _say_ready(session, event)
        case Ready():
            _say_ready(session, event)
            session.print(where())
        case Stopping(why):
            session.say(f"Stopping the foundation{f' ({why})' if why else ''}... Ctrl-C ends it by force.")


def _where(info: dict[str, Any]) -> str:
    """Where the foundation is reached, and what to do next."""
    http, https = (info[key].rpartition(":")[2] for key in ("http", "https"))
    pairs = [
        ("apps", f"http://*.{info['domain']}:{http}   https://*.{info['domain']}:{https}"),
        *([("TCP", f"{info['tcp_domain']}:{info['tcp_ports']}")] if "tcp_ports" in info else []),
        ("API", info["api"]),
        ("NATS", info["nats"]),
        ("state", info["state_dir"]),
    ]
    next_steps = "TIP: 'cfroute push NAME --sample spring-music' pushes a first app; 'cfroute demo' shows the whole tutorial."
    return f"\n{render.block(pairs, '   ')}\n\n{next_steps}"


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
    usage="cfroute info [--secrets] [--json]",
    examples=("cfroute info", "cfroute info --json", "cfroute info --secrets --json"),
    see_also=("status", "up"),
    cf_shaped=False,
    text=lambda info: _info_text(info),
)
@option("--secrets", "with_secrets", is_flag=True, help="Show the passwords too")
def info(session: Session, with_secrets: bool) -> dict[str, Any]:
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
@argument("component", "component")
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


def restart_component(session: Session, name: str) -> None:
    """End a component in order, and wait until it is healthy again. Raises NotRunning, NotFound or TimedOut."""
    session.say(f"Restarting {render.name(name)}...")
    restarted = session.foundation.restart(name)
    session.say(f"{restarted['name']} is {restarted['state']} (pid {restarted['pid']}).")
    session.ok()


def component_logs(session: Session, name: str, *, follow: bool) -> None:
    """Print the last lines of a component's log; go on with what is added, until Ctrl-C, if `follow`.

    Raises NotFound for an unknown component. Works while the foundation is down.
    """
    component = session.foundation.component(name)
    path = session.home.log(component)
    path.touch(exist_ok=True)
    offset = path.stat().st_size
    for line in _last_lines(path):
        session.line({"component": component, "line": line}, line)
    while follow:
        time.sleep(_POLL)
        offset = _added(session, component, path, offset)


def _last_lines(path: Path) -> deque[str]:
    with path.open(errors="replace") as file:
        return deque((line.rstrip("\n") for line in file), _RECENT_LINES)


def _added(session: Session, component: str, path: Path, offset: int) -> int:
    """Print the complete lines after `offset`; the offset to go on from (0 when the log was begun anew)."""
    if path.stat().st_size < offset:
        offset = 0
    with path.open("rb") as file:
        file.seek(offset)
        added, complete, _ = file.read().rpartition(b"\n")
    for line in added.decode(errors="replace").splitlines():
        session.line({"component": component, "line": line}, line)
    return offset + len(added) + len(complete)
