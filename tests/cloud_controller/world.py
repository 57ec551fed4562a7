"""Two organizations that know nothing of each other, with something of each kind in each."""

import copy
from typing import Any

from cfroute.cloud_controller.endpoints import Endpoint
from cfroute.cloud_controller.models import (
    CredentialBinding,
    ManagedInstance,
    ServiceBroker,
    ServiceInstance,
    ServiceOffering,
    ServicePlan,
)
from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES

ROLES = (*ORGANIZATION_ROLES, *SPACE_ROLES)


class World:
    """Two organizations that know nothing of each other, with a space and one thing of each kind in each."""

    def __init__(self, cc: Any) -> None:
        self.cc, self.organization = cc, cc.organization
        self.theirs = cc.new_organization("theirs")
        for flag in ("route_sharing", "service_instance_sharing"):
            cc.ok("PATCH", f"/v3/feature_flags/{flag}", {"enabled": True})
        self.more: dict[str, list[str]] = {}
        self.things = {cc.organization: self._fill(cc.organization, cc.space)}
        self.things[self.theirs] = self._fill(self.theirs, cc.new_space("theirs", self.theirs))
        for kind in ROLES:
            cc.person(kind)
            cc.grant(kind, kind, cc.space if kind in SPACE_ROLES else cc.organization)
        cc.person("stranger")

    def moved(self, cc: Any) -> "World":
        """The same world in another Cloud Controller, which has this one's files."""
        moved = copy.copy(self)
        moved.cc = cc
        cc.names.people[:] = self.cc.names.people
        return moved

    def _fill(self, organization: str, space: str) -> dict[str, str]:
        cc, name = self.cc, organization[:40].lower()
        app = cc.app(f"app-{name}", space)
        service = cc.service(f"service-{name}", space=space)
        relationships = {"organization": {"data": {"guid": organization}}}
        domain = cc.ok("POST", "/v3/domains", {"name": f"{name}.test", "relationships": relationships})["guid"]
        route = cc.ok("POST", "/v3/routes", cc.route_body(host=name, space=space))["guid"]
        member = cc.person(f"member-of-{name}")
        droplet = cc.droplet(app)
        deployed = {"relationships": {"app": {"data": {"guid": app}}}}
        bound = {"service_instance": {"data": {"guid": service}}, "app": {"data": {"guid": app}}}
        return {
            "organizations": organization,
            "spaces": space,
            "apps": app,
            "processes": cc.ok("GET", f"/v3/apps/{app}/processes")["resources"][0]["guid"],
            "packages": cc.package(app),
            "droplets": droplet,
            "deployments": cc.ok("POST", "/v3/deployments", deployed)["guid"],
            "revisions": cc.ok("GET", f"/v3/apps/{app}/revisions")["resources"][0]["guid"],
            "builds": cc.ok("GET", f"/v3/apps/{app}/builds")["resources"][0]["guid"],
            "routes": route,
            "destinations": cc.map(route, app),
            "domains": domain,
            "service_instances": service,
            "service_credential_bindings": cc.ok(
                "POST", "/v3/service_credential_bindings", {"type": "app", "relationships": bound}
            )["guid"],
            "service_route_bindings": cc.ok("POST", "/v3/service_route_bindings", cc.bind_body(route, service))["guid"],
            "organization_quotas": cc.ok("POST", "/v3/organization_quotas", {"name": f"q{len(self.more)}"})["guid"],
            "space_quotas": cc.ok("POST", "/v3/space_quotas", {"name": name, "relationships": relationships})["guid"],
            "roles": cc.grant(f"member-of-{name}", "organization_user", organization),
            "users": member,
            "audit_events": cc.ok("GET", f"/v3/audit_events?target_guids={app}")["resources"][0]["guid"],
            **self._offer(name, organization, space),
        }

    def _offer(self, name: str, organization: str, space: str) -> dict[str, str]:
        """A broker of the space with one plan; besides, an instance of it, and a key for that."""
        broker = ServiceBroker(name=name, url="https://broker.test", username="u", password="p", space_guid=space)
        features = dict.fromkeys(
            ("plan_updateable", "instances_retrievable", "bindings_retrievable", "allow_context_updates"), False
        )
        offering = ServiceOffering(catalog_id="offering", name=name, description="", bindable=True, broker=broker, **features)
        plan = ServicePlan(catalog_id="plan", name=name, description="", free=True, offering=offering)
        managed = ServiceInstance(name=f"managed-{name}", space_guid=space, type="managed", managed=ManagedInstance(plan=plan))
        key = CredentialBinding(name=f"key-{name}", service_instance=managed)
        with self.cc.platform.database.writing() as session:
            session.add_all([broker, offering, plan, managed, key])
            session.flush()
            self.more[organization] = [managed.guid, key.guid]
            return {"service_brokers": broker.guid, "service_offerings": offering.guid, "service_plans": plan.guid}

    def managed(self, organization: str) -> str:
        """The guid of its instance of the broker's service."""
        return self.more[organization][0]

    def guids(self, organization: str) -> set[str]:
        """Of all that is in the organization. Its quota is not: everybody sees those."""
        things = self.things[organization]
        return {*things.values(), *self.more[organization]} - {things["organization_quotas"]}

    def body(self, endpoint: Endpoint, organization: str) -> Any:
        """One with which permission is asked for: that is mostly done before anything is looked at, as upstream does."""
        if endpoint.path == "/v3/routes/{guid}/destinations":
            return {"destinations": [{"app": {"guid": self.things[organization]["apps"]}}]}
        return {"nonsense": 1} if endpoint.method in ("POST", "PATCH") else None

    def parts(self, path: str, organization: str) -> dict[str, str]:
        """What stands for the parameters of the path, by things of that organization; without guid when there is none."""
        kind = path.split("/")[2] if path.startswith("/v3/") else "apps"
        things = self.things[organization]
        parts = {
            "destination": things["destinations"],
            "organization": organization,
            "space": things["spaces"],
            "type": "web",
            "index": "0",
            "feature": "revisions",
            "name": "route_creation",
        }
        return parts | ({"guid": things[kind]} if kind in things else {})

    def path(self, path: str, organization: str) -> str | None:
        """The path with the guids of things of that organization; None when there is no such thing."""
        parts = self.parts(path, organization)
        return None if "{guid}" in path and "guid" not in parts else path.format(**parts)
