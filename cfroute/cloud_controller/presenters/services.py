"""Service instances, and the credentials that apps and keys have of them."""

from typing import Any

from cfroute.cloud_controller.models import CredentialBinding, ManagedInstance, ServiceInstance
from cfroute.cloud_controller.presenters.common import identity, last_operation, metadata, succeeded, to_one
from cfroute.cloud_controller.urls import Urls


def instance(instance: ServiceInstance, urls: Urls) -> dict[str, Any]:
    return _managed(instance, instance.managed, urls) if instance.managed else _user_provided(instance, urls)


def _managed(instance: ServiceInstance, managed: ManagedInstance, urls: Urls) -> dict[str, Any]:
    path = f"/service_instances/{instance.guid}"
    about = f"?service_instance_guids={instance.guid}"
    offered = managed.plan.maintenance_info
    return {
        **identity(instance),
        "name": instance.name,
        "type": "managed",
        "tags": instance.tags,
        "last_operation": last_operation(instance),
        "maintenance_info": managed.maintenance_info,
        "upgrade_available": bool(offered) and offered.get("version") != managed.maintenance_info.get("version"),
        "dashboard_url": managed.dashboard_url,
        "relationships": {"space": to_one(instance.space_guid), "service_plan": to_one(managed.plan_guid)},
        "metadata": metadata(instance),
        "links": {
            "self": urls.link(path),
            "space": urls.link(f"/spaces/{instance.space_guid}"),
            "service_plan": urls.link(f"/service_plans/{managed.plan_guid}"),
            "parameters": urls.link(f"{path}/parameters"),
            "shared_spaces": urls.link(f"{path}/relationships/shared_spaces"),
            "service_credential_bindings": urls.link(f"/service_credential_bindings{about}"),
            "service_route_bindings": urls.link(f"/service_route_bindings{about}"),
        },
    }


def _user_provided(instance: ServiceInstance, urls: Urls) -> dict[str, Any]:
    path = f"/service_instances/{instance.guid}"
    about = f"?service_instance_guids={instance.guid}"
    return {
        **identity(instance),
        "name": instance.name,
        "type": instance.type,
        "tags": instance.tags,
        "last_operation": succeeded(instance, instance.last_operation, "Operation succeeded"),
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
    app = {"app": to_one(binding.app_guid)} if binding.app_guid else {}
    app_link = {"app": urls.link(f"/apps/{binding.app_guid}")} if binding.app_guid else {}
    return {
        **identity(binding),
        "name": binding.name,
        "type": "app" if binding.app_guid else "key",
        "last_operation": last_operation(binding),
        "metadata": metadata(binding),
        "relationships": {**app, "service_instance": to_one(binding.service_instance_guid)},
        "links": {
            "self": urls.link(path),
            "details": urls.link(f"{path}/details"),
            **app_link,
            "service_instance": urls.link(f"/service_instances/{binding.service_instance_guid}"),
            **({"parameters": urls.link(f"{path}/parameters")} if binding.service_instance.managed else {}),
        },
    }
