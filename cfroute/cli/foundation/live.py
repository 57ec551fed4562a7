"""The live view of `up` on a terminal: the components, where they are, and what happened last."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cfroute.cli.render import fitting
from cfroute.clock import SystemClock
from cfroute.foundation.events import ComponentStatus, Event, Ready, StateChanged, Stopping, Warned
from cfroute.home import Home

_EVENTS = 6  # at most; where the terminal is low, only as many as fit below what has to be seen
_HEADERS = ("component", "state", "address", "pid", "restarts")
_EXPENDABLE = ("pid", "address", "restarts")  # what a narrow terminal can do without
_STYLES = {"running": "green", "external": "green", "unhealthy": "red", "backing-off": "red", "starting": "yellow"}


class ComponentsView:
    """Collects events, and draws the present state of things."""

    def __init__(self, title: str, where: Callable[[], str], now: Callable[[], float]) -> None:
        self._title = title
        self._where = where
        self._now = now
        self._components: dict[str, ComponentStatus] = {}
        self._events: deque[str] = deque(maxlen=_EVENTS)
        self._below = Text("starting…", style="yellow")
        self._stopping = False

    def see(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case StateChanged(component):
                before = self._components.get(component.name)
                self._components[component.name] = component
                if before is not None and before.state != component.state:
                    self._note(_sentence(component))
                if self._stopping and all(one.state == "stopped" for one in self._components.values()):
                    self._below = Text("stopped", style="yellow")
            case Warned(text):
                self._note(text)
            case Ready(seconds):
                self._note(f"ready in {seconds:.1f} s")
                where = self._where().strip("\n")
                self._below = Text.from_ansi(f"{where}\n\nCtrl-C stops the foundation.")
            case Stopping(why):
                self._note(f"stopping ({why})")
                self._stopping = True
                self._below = Text("stopping… (Ctrl-C again ends it by force)", style="yellow")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        above = Group(Text(self._title, style="bold"), self._table(options.max_width), Text(), self._below)
        yield above
        room = console.height - len(console.render_lines(above, options.update(height=None))) - 2
        if room > 0 and self._events:
            yield Text()
            yield from self._history(room)

    def _table(self, width: int) -> Table:
        shown = list(self._components.values())
        rows = [(one.name, one.state, one.address, str(one.pid or ""), str(one.restarts or "")) for one in shown]
        columns = fitting(list(zip(_HEADERS, *rows, strict=True)), _EXPENDABLE, width)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for header, *_ in columns:
            table.add_column(header, no_wrap=True)
        for number, one in enumerate(shown, 1):
            style = _STYLES.get(one.state, "dim")
            table.add_row(*(Text(column[number], style=style if column[0] == "state" else "") for column in columns))
        return table

    def _history(self, most: int) -> Iterator[Text]:
        latest = list(self._events)[-most:]
        return (Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in latest)

    def _note(self, text: str) -> None:
        time = datetime.fromtimestamp(self._now(), UTC).astimezone()
        self._events.append(f"{time:%H:%M:%S}  {text}")


def _sentence(component: ComponentStatus) -> str:
    why = f": {component.last_error}" if component.state in {"backing-off", "unhealthy"} else ""
    return f"{component.name} is {component.state}{why}"


@contextlib.contextmanager
def components_view(home: Home, where: Callable[[], str], console: Console | None = None) -> Iterator[Callable[[Event], None]]:
    """Show the view while the block runs; the function that it has to be told the events with."""
    view = ComponentsView(f"Cloud Foundry's routing tier in {home.root}", where, SystemClock().now)
    with Live(view, console=console, auto_refresh=False) as live:

        def tell(event: Event) -> None:
            view.see(event)
            live.update(view, refresh=True)

        yield tell
