"""Components where a command takes an app or a component by name: which is meant, and the component's part of it."""

import re
import time
from collections import deque
from pathlib import Path

from cfroute.cli import render
from cfroute.cli.foundation.component_names import NAMES
from cfroute.cli.options import Function, option
from cfroute.cli.session import Session

_COMPONENT = re.compile("|".join(NAMES).replace("N", r"\d+"))
_RECENT_LINES = 100
_POLL = 0.2  # seconds between two looks at a log that is followed


def is_meant(name: str, kind: str | None) -> bool:
    """Whether NAME means a component: --app and --component decide, else the closed set of component names does."""
    return kind == "component" if kind else _COMPONENT.fullmatch(name) is not None


def app_or_component(function: Function) -> Function:
    """--app and --component."""
    function = option("--component", "kind", flag_value="component", help="NAME is the name of a component")(function)
    return option("--app", "kind", flag_value="app", help="NAME is the name of an app")(function)


def restart(session: Session, name: str) -> None:
    """End a component in order, and wait until it is healthy again. Raises NotRunning, NotFound or TimedOut."""
    session.say(f"Restarting {render.name(name)}...")
    restarted = session.foundation.restart(name)
    session.say(f"{restarted['name']} is {restarted['state']} (pid {restarted['pid']}).")
    session.ok()


def logs(session: Session, name: str, *, follow: bool) -> None:
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
    with path.open(encoding="utf-8", errors="replace") as file:
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
