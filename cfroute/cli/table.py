"""`table`: the live routing tables of the Gorouters."""

import contextlib
import select
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Any, NamedTuple

import click
import httpx

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.routing_table import (
    Line,
    Row,
    cells,
    changes,
    first_view,
    headers,
    matching,
    next_view,
    rows,
)
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotRunning

TIMEOUT = 1.0  # seconds for one Gorouter's answer
NAMES_EVERY = 5.0  # seconds between two questions for the names of apps that are not known


class Look(NamedTuple):
    """One look at all Gorouters; `silent` names those that did not answer."""

    rows: list[Row]
    silent: list[str]


class Routers:
    """Asks every Gorouter for its table, and the Cloud Controller for the names of apps."""

    def __init__(self, session: Session) -> None:
        from cfroute.foundation import secrets

        kept = secrets.load_or_create(session.home)
        self._session = session
        self._client = httpx.Client(
            auth=(kept.gorouter_status_user, kept.gorouter_status_password), timeout=TIMEOUT, trust_env=False
        )
        self._names: dict[str, str] = {}
        self._asked = float("-inf")
        self._last: dict[str, list[Row]] = {}

    def look(self, pattern: str | None) -> Look:
        """The rows that match. Of a Gorouter that does not answer, those of the last time it did."""
        silent = []
        # Asked for each time: a foundation that was started anew may have other addresses.
        for number, base in enumerate(self._session.foundation.info()["gorouter_routes"]):
            name = f"gorouter/{number}"
            try:
                answer = self._client.get(f"{base}/cfroute/table").raise_for_status().json()
                self._learn(answer)
                self._last[name] = rows(answer, self._names)
            except httpx.HTTPError:
                silent.append(name)
        return Look(matching((row for each in self._last.values() for row in each), pattern), silent)

    def _learn(self, table: dict[str, Any]) -> None:
        guids = {endpoint["app"] for route in table["routes"] for endpoint in route["endpoints"]}
        now = self._session.clock.monotonic()
        unknown = sorted(guid for guid in guids - self._names.keys() if guid)
        if not unknown or now - self._asked < NAMES_EVERY:
            return
        self._asked = now
        # The table is most wanted while something is broken: without names it still shows everything.
        with contextlib.suppress(CfrouteError):
            answer = self._session.api.call("GET", "/v3/apps", query={"guids": unknown, "per_page": 5000}, timeout=TIMEOUT)
            self._names |= {app["guid"]: app["name"] for app in answer.json()["resources"]}


def _text(found: list[Row]) -> str:
    if not found:
        return "No routes found."
    columns = headers(found)
    return render.table(columns, (cells(row, with_router="router" in columns) for row in found))


@command(
    "table",
    usage="cfroute table [PATTERN] [--watch] [--interval SECONDS]",
    notes="PATTERN is a part of the route, or a glob for the whole of it: '*.cf.localhost/api*'.",
    examples=("cfroute table", "cfroute table spring-music --watch", "cfroute table '*.cf.localhost' --json"),
    see_also=("routes", "status"),
    cf_shaped=False,
    text=_text,
)
@argument("pattern", "route", required=False)
@option("--watch", "-w", is_flag=True, help="Go on, and mark what appears (+), changes (~) and goes (-); q ends it")
@option("--interval", type=click.FloatRange(min=0.1), default=1.0, help="Seconds between two looks (default: 1)")
def table(session: Session, pattern: str | None, watch: bool, interval: float) -> list[Row] | None:
    if not session.foundation.is_up():
        raise NotRunning("the foundation is not running", "start it with 'cfroute up --detach'")
    routers = Routers(session)
    if watch:
        follow = _screen if sys.stdout.isatty() and not session.json else _changes
        follow(session, routers, pattern, interval)
        return None
    look = routers.look(pattern)
    for name in look.silent:
        session.warn(f"{name}: not answering")
    if look.silent and not look.rows:
        raise NotRunning("no Gorouter answers", "'cfroute status' shows the components")
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


EXPENDABLE = ("protocol", "age", "prune in")
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
    title = f"{routes} routes, {endpoints} endpoints{shown}, {rate:.1f} requests a second   (q ends)"
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
