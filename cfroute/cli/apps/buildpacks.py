"""`buildpacks`, `stacks` and `stack`: what apps are built with, and on what."""

import msgspec

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.options import argument, labels, option
from cfroute.cli.session import Session
from cfroute.errors import NotFound


class Buildpack(msgspec.Struct):
    """One line of `buildpacks`."""

    position: int
    name: str
    stack: str | None
    enabled: bool
    locked: bool
    state: str
    filename: str | None
    lifecycle: str


_HEADERS = ("position", "name", "stack", "enabled", "locked", "state", "filename", "lifecycle")


def _buildpacks_text(buildpacks: list[Buildpack]) -> str:
    return render.table(_HEADERS, map(_cells, buildpacks)) if buildpacks else "No buildpacks found"


def _cells(buildpack: Buildpack) -> tuple[str, ...]:
    enabled, locked = str(buildpack.enabled).lower(), str(buildpack.locked).lower()
    return (
        str(buildpack.position),
        buildpack.name,
        buildpack.stack or "",
        enabled,
        locked,
        buildpack.state,
        buildpack.filename or "",
        buildpack.lifecycle,
    )


@command(
    "buildpacks",
    usage="cfroute buildpacks [--labels SELECTOR] [--lifecycle buildpack|cnb]",
    examples=("cfroute buildpacks", "cfroute buildpacks --json"),
    see_also=("push", "stacks"),
    text=_buildpacks_text,
)
@labels("buildpacks")
@option("--lifecycle", "-l", complete="text", help="Filter buildpacks by lifecycle ('buildpack' or 'cnb')")
def buildpacks(session: Session, labels: str | None, lifecycle: str | None) -> list[Buildpack]:
    session.say(f"Getting buildpacks as {session.target.user}...")
    session.say()
    found = session.api.list("/v3/buildpacks", order_by="position", label_selector=labels, lifecycle=lifecycle)
    return [msgspec.convert(each, Buildpack) for each in found]


class Stack(msgspec.Struct):
    """One line of `stacks`; state is "" where the API does not tell it."""

    guid: str
    name: str
    description: str
    state: str = ""


def _stacks_text(stacks: list[Stack]) -> str:
    rows = ((each.name, each.description) for each in stacks)
    return render.table(("name", "description"), rows) if stacks else "No stacks found."


@command(
    "stacks",
    usage="cfroute stacks [--labels SELECTOR]",
    examples=("cfroute stacks", "cfroute stacks --json"),
    see_also=("app", "push", "stack"),
    text=_stacks_text,
)
@labels("stacks")
def stacks(session: Session, labels: str | None) -> list[Stack]:
    session.say(f"Getting stacks as {session.target.user}...")
    session.say()
    found = session.api.list("/v3/stacks", label_selector=labels)
    return sorted((msgspec.convert(each, Stack) for each in found), key=lambda each: each.name.lower())


def _stack_text(stack: Stack) -> str:
    facts = [("name", stack.name), ("description", stack.description)]
    return render.block([*facts, ("state", stack.state)] if stack.state else facts)


@command(
    "stack",
    usage="cfroute stack STACK_NAME [--guid]",
    examples=("cfroute stack cflinuxfs4", "cfroute stack cflinuxfs4 --guid"),
    see_also=("app", "push", "stacks"),
    text=_stack_text,
)
@argument("name", "stack", metavar="STACK_NAME")
@option("--guid", is_flag=True, help="Retrieve and display the given stack's guid. All other output for the stack is suppressed.")
def stack(session: Session, name: str, guid: bool) -> Stack | None:
    if not guid:
        session.say(f"Getting info for stack {render.name(name)} as {session.target.user}...")
        session.say()
    found = session.api.first("/v3/stacks", names=[name])
    if found is None:
        raise NotFound(f"Stack '{name}' not found.")
    if guid:
        session.line({"guid": found["guid"]}, found["guid"])
        return None
    return msgspec.convert(found, Stack)
