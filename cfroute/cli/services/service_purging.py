"""Removing what is left of a service when its broker is gone."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, force, option
from cfroute.cli.session import Session

_OFFERING = (
    "WARNING: This operation assumes that the service broker responsible for this service offering is no longer available, and "
    "all service instances have been deleted, leaving orphan records in Cloud Foundry's database. All knowledge of the service "
    "offering will be removed from Cloud Foundry, including service instances and service bindings. No attempt will be made to "
    "contact the service broker; running this command without destroying the service broker will cause orphan service instances. "
    "After running this command you may want to run either delete-service-auth-token or delete-service-broker to complete the "
    "cleanup."
)
_INSTANCE = (
    "WARNING: This operation assumes that the service broker responsible for this service instance is no longer available or is "
    "not responding with a 200 or 410, and the service instance has been deleted, leaving orphan records in Cloud Foundry's "
    "database. All knowledge of the service instance will be removed from Cloud Foundry, including service bindings and service "
    "keys."
)


@command(
    "purge-service-offering",
    usage=f"cfroute purge-service-offering SERVICE_OFFERING [-b BROKER] [-f]\n\n{_OFFERING}",
    examples=("cfroute purge-service-offering ratelimit", "cfroute purge-service-offering ratelimit -b limits -f"),
    see_also=("marketplace", "purge-service-instance", "service-brokers"),
)
@argument("service_offering")
@option("-b", "broker", help="Purge a service offering from a particular service broker")
@force
def purge_service_offering(session: Session, service_offering: str, broker: str | None, force: bool) -> Resource:
    session.target.check()
    whose = f" from broker {render.name(broker)}" if broker else ""
    if not force:
        session.say(_OFFERING)
        session.say()
        session.confirm(
            f"Really purge service offering {render.name(service_offering)}{whose} from Cloud Foundry?",
            otherwise="Purge service offering cancelled.",
        )
    session.say(f"Purging service offering {service_offering}...")
    found = lookup.if_there(lookup.service_offering, session.api, service_offering, broker)
    if found is None:
        session.say(f"Service offering '{service_offering}' not found.")
    else:
        session.api.call("DELETE", f"/v3/service_offerings/{found['guid']}", query={"purge": True})
    session.ok()
    return {"name": service_offering, "purged": found is not None}


@command(
    "purge-service-instance",
    usage=f"cfroute purge-service-instance SERVICE_INSTANCE [-f]\n\n{_INSTANCE}",
    examples=("cfroute purge-service-instance mylimit", "cfroute purge-service-instance mylimit -f"),
    see_also=("delete-service", "service-brokers", "services"),
)
@argument("service_instance")
@force
def purge_service_instance(session: Session, service_instance: str, force: bool) -> Resource:
    session.target.check(space=True)
    shown = render.name(service_instance)
    if not force:
        session.say(_INSTANCE)
        session.say()
        session.confirm(f"Really purge service instance {shown} from Cloud Foundry?", otherwise="Purge cancelled")
    session.say(f"Purging service instance {shown} in {session.target.place}...")
    found = lookup.if_there(lookup.service_instance, session.api, session.target.space, service_instance)
    if found is not None:
        session.api.call("DELETE", f"/v3/service_instances/{found['guid']}", query={"purge": True})
    session.say()
    session.say(f"Service instance {service_instance} {'purged' if found else 'did not exist'}.")
    session.ok()
    return {"name": service_instance, "purged": found is not None}
