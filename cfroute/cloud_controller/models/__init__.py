"""The tables of the ccdb."""

from cfroute.cloud_controller.models.apps import App, Build, Droplet, Package, Process
from cfroute.cloud_controller.models.base import Base, Labelled, Resource
from cfroute.cloud_controller.models.platform import AuditEvent, FeatureFlag, Job
from cfroute.cloud_controller.models.routing import Destination, Route, RouteBinding
from cfroute.cloud_controller.models.services import CredentialBinding, ServiceInstance
from cfroute.cloud_controller.models.tenancy import Domain, Organization, Space

__all__ = [
    "App",
    "AuditEvent",
    "Base",
    "Build",
    "CredentialBinding",
    "Destination",
    "Domain",
    "Droplet",
    "FeatureFlag",
    "Job",
    "Labelled",
    "Organization",
    "Package",
    "Process",
    "Resource",
    "Route",
    "RouteBinding",
    "ServiceInstance",
    "Space",
]
