"""`events`: what was done to an app, and by whom."""

from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument
from cfroute.cli.session import Session

_TOLD = (
    "index", "reason", "cell_id", "instance", "exit_description", "exit_status", "recursive", "disk_quota", "instances",
    "memory", "state", "command", "environment_json",
)  # fmt: skip
"""What is shown of an event's data, in this order."""


class Event(msgspec.Struct):
    """One line of `events`."""

    guid: str
    time: str
    event: str
    actor: str
    description: str


def _text(events: list[Event]) -> str:
    rows = ((render.stamp(each.time), each.event, each.actor, each.description) for each in events)
    table = render.table(("time", "event", "actor", "description"), rows)
    return table if events else f"No events found.\n{table}"


@command(
    "events",
    usage="cfroute events APP_NAME",
    examples=("cfroute events spring-music", "cfroute events spring-music --json"),
    see_also=("app", "logs", "map-route", "unmap-route"),
    text=_text,
)
@argument("app_name")
def events(session: Session, app_name: str) -> list[Event]:
    session.say(f"Getting events for app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    newest = session.api.get("/v3/audit_events", target_guids=[app["guid"]], order_by="-created_at", page=1)
    return [_event(each) for each in newest["resources"]]


def _event(event: Resource) -> Event:
    data: dict[str, Any] = event.get("data") or {}
    return Event(
        guid=event["guid"],
        time=event["created_at"],
        event=event["type"],
        actor=event["actor"]["name"],
        description=description(data.get("request") or data),
    )


def description(data: dict[str, Any]) -> str:
    """`instances: 2, memory: 64`: what is worth telling of an event's data."""
    return ", ".join(f"{key}: {_value(data[key])}" for key in _TOLD if data.get(key) is not None)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
