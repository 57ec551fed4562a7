"""`table`: the live routing tables of the Gorouters and the TCP routers."""

import contextlib
import select
import sys
import termios
import tty
from collections.abc import Iterator

import click

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.routes.routers import Look, Routers
from cfroute.cli.routes.routing_table import (
    Line,
    Row,
    cells,
    changes,
    first_view,
    headers,
    next_view,
)
from cfroute.cli.session import Session
from cfroute.errors import NotRunning, UsageError


def _text(found: list[Row]) -> str:
    if not found:
        return "No routes found."
    columns = headers(found)
    return render.table(columns, (cells(row, with_router="router" in columns) for row in found))


@command(
    "table",
    usage="cfroute table [PATTERN] [--http | --tcp] [--watch] [--interval SECONDS]",
    notes="PATTERN is a part of the route, or a glob for the whole of it: '*.cf.localhost/api*'.",
    examples=(
        "cfroute table",
        "cfroute table spring-music --watch",
        "cfroute table --tcp",
        "cfroute table '*.cf.localhost' --json",
    ),
    see_also=("routes", "status"),
    cf_shaped=False,
    text=_text,
)
@argument("pattern", "route", required=False)
@option("--http", "http_only", is_flag=True, help="Only the HTTP routes, of the Gorouters")
@option("--tcp", "tcp_only", is_flag=True, help="Only the TCP routes, of the TCP routers")
@option("--watch", "-w", is_flag=True, help="Go on, and mark what appears (+), changes (~) and goes (-); q ends it")
@option("--interval", type=click.FloatRange(min=0.1), default=1.0, help="Seconds between two looks (default: 1)")
def table(
    session: Session, pattern: str | None, http_only: bool, tcp_only: bool, watch: bool, interval: float
) -> list[Row] | None:
    if http_only and tcp_only:
        raise UsageError("The following arguments cannot be used together: --http, --tcp", "without either, both are shown")
    session.need_local("routing tables are shown")
    if not session.foundation.is_up():
        raise NotRunning("the foundation is not running", "start it with 'cfroute up --detach'")
    routers = Routers(session, http=not tcp_only, tcp=not http_only)
    if watch:
        follow = _screen if sys.stdout.isatty() and session.for_people else _changes
        follow(session, routers, pattern, interval)
        return None
    look = routers.look(pattern)
    for name in look.silent:
        session.warn(f"{name}: not answering")
    if look.silent and not look.rows:
        kind = "TCP router" if tcp_only else "Gorouter" if http_only else "router"
        raise NotRunning(f"no {kind} answers", "'cfroute status' shows the components")
    return look.rows


def _changes(session: Session, routers: Routers, pattern: str | None, interval: float) -> None:
    """A line for everything that is there at first, and for every change."""
    before: list[Row] = []
    silent: list[str] = []
    while True:
        look = routers.look(pattern)
        for name in look.silent:
            if name not in silent:
                session.warn(f"{name}: not answering")
        found = changes(before, look.rows)
        kinds = (("+", "appeared", found.appeared), ("~", "changed", found.changed), ("-", "gone", found.gone))
        for mark, change, changed in kinds:
            for row in changed:
                data = {"time": session.clock.now(), "change": change, "row": row}
                session.line(data, f"{mark} " + render.GAP.join(cells(row, with_router=True)))
        before, silent = look.rows, look.silent
        session.api.sleep(interval)


def _screen(session: Session, routers: Routers, pattern: str | None, interval: float) -> None:
    """Draw the table in place until q or Ctrl-C."""
    look = routers.look(pattern)
    view = first_view(look.rows)
    with render.Screen() as screen, _keys():
        while True:
            screen.draw(_title(pattern, view, look), *_drawing(view), EXPENDABLE)
            if _pressed_q(interval):
                return
            look = routers.look(pattern)
            view = next_view(view, look.rows, session.clock.monotonic())


EXPENDABLE = ("protocol", "age", "prune in", "endpoint", "req/s")
"""The columns that a narrow terminal can do without."""

STYLES = {"": "", "+": "green", "~": "yellow", "-": "red"}


def _drawing(view: list[Line]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Headers, and rows with their style."""
    columns = headers(line.row for line in view)
    with_router = "router" in columns
    drawn = [(STYLES[line.mark], [line.mark, *cells(line.row, with_router=with_router)]) for line in view]
    return ["", *columns], drawn


def _title(pattern: str | None, view: list[Line], look: Look) -> list[tuple[str, str]]:
    routes = len({line.row.route for line in view if line.mark != "-"})
    endpoints = sum(line.mark != "-" for line in view)
    rate = sum(line.row.rate for line in view if line.mark != "-")
    shown = f" matching {pattern}" if pattern else ""
    connections = sum(line.row.connections for line in view if line.mark != "-" and line.row.tcp)
    tcp = f", {connections} TCP connections" if any(line.row.tcp for line in view) else ""
    title = f"{routes} routes, {endpoints} endpoints{shown}, {rate:.1f} requests a second{tcp}   (q ends)"
    return [("bold", title), *(("bold red", f"{name}: not answering") for name in look.silent)]


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """Give single key presses to the program while the block runs."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed_q(seconds: float) -> bool:
    """Wait, and tell whether q was pressed meanwhile."""
    if not sys.stdin.isatty():
        select.select([], [], [], seconds)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(ready) and sys.stdin.read(1).lower() == "q"
