"""The tables of the ccdb."""

from sqlalchemy.orm import configure_mappers

from cfroute.cloud_controller.models.apps import App, Build, Droplet, Package, Process
from cfroute.cloud_controller.models.base import Base, Labelled, Resource
from cfroute.cloud_controller.models.brokers import (
    ManagedInstance,
    Operation,
    Orphan,
    ServiceBroker,
    ServiceOffering,
    ServicePlan,
)
from cfroute.cloud_controller.models.deployments import Deployment, Revision
from cfroute.cloud_controller.models.people import Person, Role
from cfroute.cloud_controller.models.platform import AuditEvent, FeatureFlag, Job
from cfroute.cloud_controller.models.quotas import OrganizationQuota, Quota, SpaceQuota
from cfroute.cloud_controller.models.routing import Destination, Route, RouteBinding
from cfroute.cloud_controller.models.services import CredentialBinding, ServiceInstance
from cfroute.cloud_controller.models.tenancy import Domain, KnownGroup, Organization, Space

__all__ = [
    "App",
    "AuditEvent",
    "Base",
    "Build",
    "CredentialBinding",
    "Deployment",
    "Destination",
    "Domain",
    "Droplet",
    "FeatureFlag",
    "Job",
    "KnownGroup",
    "Labelled",
    "ManagedInstance",
    "Operation",
    "Organization",
    "OrganizationQuota",
    "Orphan",
    "Package",
    "Person",
    "Process",
    "Quota",
    "Resource",
    "Revision",
    "Role",
    "Route",
    "RouteBinding",
    "ServiceBroker",
    "ServiceInstance",
    "ServiceOffering",
    "ServicePlan",
    "Space",
    "SpaceQuota",
]

# Done once where modules are imported ahead of time, instead of by the first query of every process (0.1 s).
configure_mappers()
