"""Labels of things of every kind: shown, set and removed."""

from collections.abc import Mapping

from cfroute.cli import render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.kinds import TEXT
from cfroute.cli.misuse import apart
from cfroute.cli.more.label_kinds import LABELLED, Kind, Wanted
from cfroute.cli.options import Function, argument, option
from cfroute.cli.session import Session
from cfroute.cli.unsupported import NotSupported, Reason
from cfroute.errors import CfrouteError

_RESOURCES = "RESOURCES:\n" + "\n".join(f"   {kind}" for kind in LABELLED)
_FLAGS = {"stack": "--stack, -s", "broker": "--broker, -b", "offering": "--offering, -e"}


def _narrowing(function: Function) -> Function:
    """--stack, --broker and --offering."""
    function = option("--offering", "-e", help="Specify a service offering to disambiguate service plans with the same "
                      "name.")(function)  # fmt: skip
    function = option("--broker", "-b", help="Specify a service broker to disambiguate service offerings or service plans "
                      "with the same name.")(function)  # fmt: skip
    return option("--stack", "-s", help="Specify stack to disambiguate buildpacks with the same name")(function)


def _kind(wanted: Wanted) -> Kind:
    """Raises CfrouteError for an unknown one, Misuse for a flag that is not for it."""
    kind = LABELLED.get(wanted.kind)
    if kind is None:
        raise CfrouteError(f"Unsupported resource type of '{wanted.kind}'", f"there are {', '.join(LABELLED)}")
    for field, flag in _FLAGS.items():
        if getattr(wanted, field) is not None and field not in kind.flags:
            raise apart(wanted.kind, flag)
    return kind


def _announcement(session: Session, kind: Kind, wanted: Wanted) -> str:
    """`app dora in org O / space S as USER...`"""
    shown = f"{wanted.kind} {render.name(wanted.name)}"
    if kind.place == "space":
        return f"{shown} in {session.target.place}..."
    if kind.place == "org":
        return f"{shown} in {session.target.org_place}..."
    offering = f"service offering {render.name(wanted.offering)}" if wanted.offering else ""
    broker = f"service broker {render.name(wanted.broker)}" if wanted.broker else ""
    source = " / ".join(filter(None, (offering, broker)))
    stack = f" with stack {render.name(wanted.stack)}" if wanted.stack else ""
    return f"{shown}{' from ' * bool(source)}{source}{stack} as {session.target.user}..."


def _text(labels: Mapping[str, str]) -> str:
    return render.table(("key", "value"), sorted(labels.items())) if labels else "No labels found."


@command(
    "labels",
    usage="cfroute labels RESOURCE RESOURCE_NAME [--stack STACK] [--broker BROKER] [--offering OFFERING]",
    notes=_RESOURCES,
    examples=("cfroute labels app dora", "cfroute labels org business", "cfroute labels route dora.cf.localhost --json"),
    see_also=("set-label", "unset-label"),
    text=_text,
)
@argument("kind", TEXT, values=LABELLED.keys, metavar="RESOURCE")
@argument("name", metavar="RESOURCE_NAME")
@_narrowing
def labels(session: Session, kind: str, name: str, stack: str | None, broker: str | None, offering: str | None) -> dict[str, str]:
    wanted = Wanted(kind.lower(), name, stack, broker, offering)
    found = _kind(wanted)
    session.say(f"Getting labels for {_announcement(session, found, wanted)}")
    if found.place == "platform" and not found.flags:
        session.say()  # for these kinds cf leaves two lines empty
    resource = found.find(session, wanted)
    session.say()
    return dict(resource["metadata"]["labels"])


@command(
    "set-label",
    usage="cfroute set-label RESOURCE RESOURCE_NAME KEY=VALUE... [--stack STACK] [--broker BROKER] [--offering OFFERING]",
    notes=_RESOURCES,
    examples=(
        "cfroute set-label app dora env=production",
        "cfroute set-label org business pci=true public-facing=false",
        "cfroute set-label space business_space public-facing=false owner=jane_doe",
    ),
    see_also=("labels", "unset-label"),
)
@argument("kind", TEXT, values=LABELLED.keys, metavar="RESOURCE")
@argument("name", metavar="RESOURCE_NAME")
@argument("pairs", "text", nargs=-1, metavar="KEY=VALUE...")
@_narrowing
def set_label(
    session: Session,
    kind: str,
    name: str,
    pairs: tuple[str, ...],
    stack: str | None,
    broker: str | None,
    offering: str | None,
) -> Resource:
    given = dict(_pair(text) for text in pairs)
    return _change(session, "Setting", Wanted(kind.lower(), name, stack, broker, offering), given)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CfrouteError(f"Metadata error: no value provided for label '{text}'")
    return key, value


@command(
    "unset-label",
    usage="cfroute unset-label RESOURCE RESOURCE_NAME KEY... [--stack STACK] [--broker BROKER] [--offering OFFERING]",
    notes=_RESOURCES,
    examples=("cfroute unset-label app dora ci_signature_sha2", "cfroute unset-label org business pci public-facing"),
    see_also=("labels", "set-label"),
)
@argument("kind", TEXT, values=LABELLED.keys, metavar="RESOURCE")
@argument("name", metavar="RESOURCE_NAME")
@argument("keys", "text", nargs=-1, metavar="KEY...")
@_narrowing
def unset_label(
    session: Session,
    kind: str,
    name: str,
    keys: tuple[str, ...],
    stack: str | None,
    broker: str | None,
    offering: str | None,
) -> Resource:
    return _change(session, "Removing", Wanted(kind.lower(), name, stack, broker, offering), dict.fromkeys(keys))


def _change(session: Session, verb: str, wanted: Wanted, changes: Mapping[str, str | None]) -> Resource:
    """Lay labels over those of a thing; None removes one."""
    kind = _kind(wanted)
    if not kind.path:
        reason = Reason("buildpacks and stacks come with it, and so do their labels", "an app can have the label")
        raise NotSupported(f"labelling a {wanted.kind}", reason)
    session.say(f"{verb} label(s) for {_announcement(session, kind, wanted)}")
    resource = kind.find(session, wanted)
    session.api.change("PATCH", f"{kind.path}/{resource['guid']}", body={"metadata": {"labels": changes}})
    session.ok()
    return {"guid": resource["guid"], "labels": changes}
