"""`logs`: of an app or of a component."""

import itertools

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.apps.app_logs import SECOND, LogLine, Tail, recent
from cfroute.cli.command import command
from cfroute.cli.foundation import component_names, components
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session

POLL = 0.2  # seconds


@command(
    "logs",
    usage="cfroute logs NAME [--recent] [--app | --component]",
    notes=f"NAME is an app, or a component: {component_names.TOLD}",
    examples=("cfroute logs logger", "cfroute logs logger --recent", "cfroute logs gorouter/0 --recent"),
    see_also=("app", "apps", "status"),
)
@argument("name", "app-or-component")
@option("--recent", "only_recent", is_flag=True, help="Dump recent logs instead of tailing")
@components.app_or_component
def logs(session: Session, name: str, only_recent: bool, kind: str | None) -> None:
    if components.is_meant(name, kind):
        components.logs(session, name, follow=not only_recent)
        return
    session.say(f"Retrieving logs for app {render.name(name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, name)
    if only_recent:
        for line in recent(session.api, app):
            show(session, line)
    else:
        _follow(session, app)


def show(session: Session, line: LogLine) -> None:
    """Print a line, as it is or as JSON."""
    session.line(line, line.text)


def _follow(session: Session, app: Resource) -> None:
    """Print lines until Ctrl-C, beginning with those of the newest line's last second, as cf does."""
    newest = recent(session.api, app, limit=1)
    tail = Tail(session.api, app, newest[0].timestamp - SECOND if newest else session.clock.now_ns())
    for _ in itertools.count():
        for line in tail.new():
            show(session, line)
        session.api.sleep(POLL)
