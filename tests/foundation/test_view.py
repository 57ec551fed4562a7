"""The live view of `up`, drawn into a text."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from cfroute.cli.foundation.live import ComponentsView, components_view
from cfroute.foundation.events import ComponentStatus, Ready, StateChanged, Stopping
from cfroute.home import Home


def component(state: str, *, pid: int = 0, last_error: str = "") -> StateChanged:
    return StateChanged(
        ComponentStatus(
            name="nats", state=state, since=0.0, pid=pid, address="127.64.0.10:4222", restarts=1, last_error=last_error
        )
    )


def drawn(view: ComponentsView, height: int = 40, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width, height=height, record=True)
    console.print(view)
    return console.export_text()


def test_components_events_and_the_way_in() -> None:
    view = ComponentsView("title", lambda: "apps: http://*.cf.localhost:8080", lambda: 0.0)
    view.see(component("starting"))
    view.see(component("running", pid=4711))
    text = drawn(view)
    assert "nats" in text
    assert "4711" in text
    assert "127.64.0.10:4222" in text
    assert "nats is running" in text
    assert "starting…" in text
    view.see(Ready(0.94))
    assert "apps: http://*.cf.localhost:8080" in drawn(view)
    assert "ready in 0.9 s" in drawn(view)


def test_trouble_is_explained() -> None:
    view = ComponentsView("title", lambda: "", lambda: 0.0)
    view.see(component("running"))
    view.see(component("backing-off", last_error="killed by SIGKILL"))
    assert "nats is backing-off: killed by SIGKILL" in drawn(view)
    view.see(Stopping("SIGINT"))
    assert "Ctrl-C again ends it by force" in drawn(view)
    view.see(component("stopped"))
    assert "Ctrl-C" not in drawn(view)


def test_a_low_terminal_shows_the_way_in_rather_than_what_happened() -> None:
    view = ComponentsView("title", lambda: "apps: http://*.cf.localhost:8080", lambda: 0.0)
    for state in ("starting", "running", "unhealthy", "running"):
        view.see(component(state))
    view.see(Ready(0.94))
    needed = ["title", "component", "nats", "", "apps:", "", "Ctrl-C"]
    for height, events in ((7, 0), (9, 0), (10, 1), (11, 2), (40, 4)):
        lines = drawn(view, height).splitlines()
        assert [line.startswith(start) for line, start in zip(lines, needed, strict=False)] == [True] * len(needed)
        assert len(lines) == len(needed) + (1 + events if events else 0)
        assert not events or lines[-1].endswith("ready in 0.9 s")


def test_a_narrow_terminal_shows_every_state_rather_than_addresses() -> None:
    view = ComponentsView("title", lambda: "", lambda: 0.0)
    view.see(component("backing-off", pid=4711))
    lines = [[*map(str.split, drawn(view, width=width).splitlines()[1:3])] for width in (34, 24)]
    assert lines[0] == [["component", "state", "restarts"], ["nats", "backing-off", "1"]]
    assert lines[1] == [["component", "state"], ["nats", "backing-off"]]


def test_the_view_is_drawn_as_events_come() -> None:
    screen = StringIO()
    with components_view(Home(Path("/state")), lambda: "", Console(file=screen, force_terminal=True)) as tell:
        tell(component("running"))
        assert "127.64.0.10:4222" in screen.getvalue()
