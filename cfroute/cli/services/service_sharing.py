"""Letting apps of other spaces be bound to a service instance."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session


def _shared_spaces(instance: Resource) -> str:
    return f"/v3/service_instances/{instance['guid']}/relationships/shared_spaces"


def _space(session: Session, space: str, org: str | None) -> Resource:
    """The other space. Raises NotFound."""
    return lookup.space(session.api, lookup.org(session.api, org) if org else session.target.org, space)


def _place(session: Session, space: str, org: str | None) -> str:
    owner = org or session.target.org["name"]
    return f"org {render.name(owner)} / space {render.name(space)} as {session.target.user}"


@command(
    "share-service",
    usage="cfroute share-service SERVICE_INSTANCE -s OTHER_SPACE [-o OTHER_ORG]",
    examples=("cfroute share-service mydb -s prod", "cfroute share-service mydb -s prod -o acme"),
    see_also=("bind-service", "service", "services", "unshare-service"),
)
@argument("service_instance")
@option("-s", "space", required=True, help="The space to share the service instance into")
@option("-o", "org", help="Org of the other space (Default: targeted org)")
def share_service(session: Session, service_instance: str, space: str, org: str | None) -> Resource:
    session.say(f"Sharing service instance {render.name(service_instance)} into {_place(session, space, org)}...")
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    other = _space(session, space, org)
    try:
        session.api.post(_shared_spaces(instance), {"data": [{"guid": other["guid"]}]})
    except ApiError as error:
        if not error.says(detail="has already been shared with"):
            raise
        session.ok()
        session.say(f"A service instance called {service_instance} has already been shared")
    else:
        session.ok()
    return {"service_instance": service_instance, "space": space, "shared": True}


@command(
    "unshare-service",
    usage="cfroute unshare-service SERVICE_INSTANCE -s OTHER_SPACE [-o OTHER_ORG] [-f]",
    examples=("cfroute unshare-service mydb -s prod", "cfroute unshare-service mydb -s prod -o acme -f"),
    see_also=("delete-service", "service", "services", "share-service", "unbind-service"),
)
@argument("service_instance")
@option("-s", "space", required=True, help="Space to unshare the service instance from")
@option("-o", "org", help="Org of the other space (Default: targeted org)")
@option("-f", "force", is_flag=True, help="Force unshare without confirmation")
def unshare_service(session: Session, service_instance: str, space: str, org: str | None, force: bool) -> Resource:
    session.target.check(space=True)
    shown = render.name(service_instance)
    if not force:
        session.warn(
            "WARNING: Unsharing this service instance will remove any existing bindings originating from the service instance "
            f'in the space "{space}". This could cause apps to stop working.'
        )
        session.say()
        session.confirm(
            f"Really unshare the service instance {shown} from space {render.name(space)}?", otherwise="Unshare cancelled"
        )
    session.say(f"Unsharing service instance {shown} from {_place(session, space, org)}...")
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    session.api.call("DELETE", f"{_shared_spaces(instance)}/{_space(session, space, org)['guid']}")
    session.ok()
    return {"service_instance": service_instance, "space": space, "shared": False}
