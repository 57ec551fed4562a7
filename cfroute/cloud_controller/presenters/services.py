"""Service instances and the apps bound to them."""

from typing import Any

from cfroute.cloud_controller.models import CredentialBinding, ServiceInstance
from cfroute.cloud_controller.presenters.common import identity, last_operation, metadata, to_one
from cfroute.cloud_controller.urls import Urls


def instance(instance: ServiceInstance, urls: Urls) -> dict[str, Any]:
    path = f"/service_instances/{instance.guid}"
    about = f"?service_instance_guids={instance.guid}"
    return {
        **identity(instance),
        "name": instance.name,
        "type": instance.type,
        "tags": instance.tags,
        "last_operation": last_operation(instance, instance.last_operation, "Operation succeeded"),
        "syslog_drain_url": instance.syslog_drain_url,
        "route_service_url": instance.route_service_url,
        "relationships": {"space": to_one(instance.space_guid)},
        "metadata": metadata(instance),
        "links": {
            "self": urls.link(path),
            "space": urls.link(f"/spaces/{instance.space_guid}"),
            "credentials": urls.link(f"{path}/credentials"),
            "service_credential_bindings": urls.link(f"/service_credential_bindings{about}"),
            "service_route_bindings": urls.link(f"/service_route_bindings{about}"),
        },
    }


def credential_binding(binding: CredentialBinding, urls: Urls) -> dict[str, Any]:
    path = f"/service_credential_bindings/{binding.guid}"
    return {
        **identity(binding),
        "name": binding.name,
        "type": "app",
        "last_operation": last_operation(binding),
        "metadata": metadata(binding),
        "relationships": {
            "app": to_one(binding.app_guid),
            "service_instance": to_one(binding.service_instance_guid),
        },
        "links": {
            "self": urls.link(path),
            "details": urls.link(f"{path}/details"),
            "app": urls.link(f"/apps/{binding.app_guid}"),
            "service_instance": urls.link(f"/service_instances/{binding.service_instance_guid}"),
        },
    }
