"""`up`: start the foundation, here or in the background."""

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.kinds import PLACE, TEXT
from cfroute.cli.options import option
from cfroute.cli.session import Session

if TYPE_CHECKING:
    from cfroute.cli.foundation.readiness import Signals
    from cfroute.foundation.events import Event
    from cfroute.foundation.options import Given

_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True)


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
@option("--domain", complete=TEXT, metavar="DOMAIN", help="Domain of the apps (default: cf.localhost)")
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
@option(
    "--tcp-ports",
    complete=TEXT,
    metavar="FIRST-LAST",
    help="Ports of TCP routes (default: 1024-1123; 0 picks 100 that are free)",
)
@option("--tcp-engine", type=click.Choice(["embedded", "haproxy"]), help="What moves the bytes of TCP routes (default: embedded)")
@option("--routing-apis", type=int, metavar="N", help="Number of Routing APIs; one works, the others wait (default: 1)")
@option(
    "--routing-database", metavar="URL", help="Keep the TCP routes in this MySQL or PostgreSQL; 'embedded' goes back to a file"
)
@option(
    "--without",
    complete="component",
    multiple=True,
    metavar="COMPONENT",
    help="Leave it out, for somebody else to run; 'none' ends that",
)
@option("--routing-api", complete=TEXT, metavar="URL", help="Use this Routing API; 'embedded' goes back to one of our own")
@option("--uaa", complete=TEXT, metavar="URL", help="Use this UAA; 'embedded' goes back to one of our own")
@option("--locket", complete=TEXT, metavar="HOST:PORT", help="Use this Locket; 'embedded' goes back to one of our own")
@option("--external-ca", complete=PLACE, type=_FILE, metavar="FILE", help="The authority of those components that run elsewhere")
@option("--external-cert", complete=PLACE, type=_FILE, metavar="FILE", help="The certificate that they are shown")
@option("--external-key", complete=PLACE, type=_FILE, metavar="FILE", help="Its key")
@option("--ready-file", complete=PLACE, metavar="FILE", help="Write what 'info --json' shows to this file when it is ready")
@option("--ready-fd", type=click.IntRange(3), metavar="FD", help="Write the same as a line to this open file descriptor")
def up(
    session: Session,
    detach: bool,
    wait: bool,
    timeout: float,
    without: tuple[str, ...],
    ready_file: str | None,
    ready_fd: int | None,
    **given: Any,
) -> dict[str, Any] | None:
    from cfroute.cli.foundation.readiness import Signals
    from cfroute.foundation.options import Given

    start = _up_detached if detach else _up_here
    with Signals(ready_file, ready_fd, session.foundation) as signals:
        return start(session, Given(without=without or None, **given), timeout, wait, signals)


def _up_detached(session: Session, given: "Given", timeout: float, wait: bool, signals: "Signals") -> dict[str, Any]:
    from cfroute.foundation import detached, preparation

    preparation.check(session.home, given)
    session.say(f"Starting the foundation in {render.name(session.home.root)}...")
    detached.start(session.home, given, timeout, signals.after(lambda event: _say_ready(session, event)), wait=wait)
    signals.keep()
    return session.foundation.info()


def _say_ready(session: Session, event: "Event") -> None:
    from cfroute.foundation.events import Ready, Warned

    match event:
        case Ready(seconds):
            session.say(f"{render.good('Ready')} in {seconds:.1f} s.")
        case Warned(text):
            session.warn(text)


def _up_here(session: Session, given: "Given", timeout: float, wait: bool, signals: "Signals") -> None:
    from cfroute.foundation import launch, preparation

    preparation.check(session.home, given)

    def where() -> str:
        return render.json_text(session.foundation.info()) if session.json else _where(session.foundation.info())

    with _view(session, where) as view:
        status = launch.supervise(session.home, given, signals.after(view), timeout)
    if status:
        click.get_current_context().exit(status)


def _view(session: Session, where: Callable[[], str]) -> contextlib.AbstractContextManager[Callable[["Event"], None]]:
    """What shows the events: a live table on a terminal, lines elsewhere."""
    if sys.stdout.isatty() and not session.json and not session.quiet and session.color is not False:
        from cfroute.cli.foundation.live import components_view

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
