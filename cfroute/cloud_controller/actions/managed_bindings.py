"""Bindings of managed service instances, to routes, to apps, and as keys."""

from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller.actions import brokered, quotas
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.brokers.subjects import forwards, plan_of
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, CredentialBinding, Route, RouteBinding, ServiceInstance

_BUSY = "There is an operation in progress for the service instance."
_BINDING_BUSY = "There is an operation in progress for the service binding."


def refuse_route(instance: ServiceInstance) -> None:
    """Raise the reason why no route can be bound to the managed instance at all."""
    if not forwards(instance):
        raise unprocessable("This service instance does not support route binding")
    if not plan_of(instance).is_bindable:
        raise unprocessable("This service instance does not support binding")


def bind_route(call: Call, instance: ServiceInstance, route: Route, body: dict[str, Any]) -> Reply:
    """202; the routers hear of the route service when the broker has named it."""
    _refuse_unready(instance)
    brokered.refuse_without_brokers(call)
    binding = RouteBinding(route_guid=route.guid, service_instance_guid=instance.guid, route_service_url="")
    set_metadata(binding, body)
    call.save(binding)
    call.audit("service_route_binding.start_create", binding, "", route.space_guid)
    return brokered.begin(call, "route_binding", binding.guid, "create", parameters=body.get("parameters"))


def drop_failed(call: Call, binding: RouteBinding | CredentialBinding | None) -> None:
    """A binding that could not be made is in nobody's way. Raises 10008 for one that is, or could not be, removed."""
    operation = binding.operation if binding is not None else None
    if binding is None or operation is None:
        return
    if operation.type == "delete":
        raise unprocessable("The binding is getting deleted or its deletion failed")
    if was_not_made(binding):
        call.session.delete(operation)
        call.session.delete(binding)
        call.session.flush()


def was_not_made(binding: RouteBinding | CredentialBinding) -> bool:
    """Whether its broker has refused to make it."""
    operation = binding.operation
    return operation is not None and operation.type == "create" and operation.state == "failed"


def create_credentials(call: Call, instance: ServiceInstance, app: App | None, body: dict[str, Any]) -> Reply:
    """202: a binding to an app, or without one a key."""
    if not plan_of(instance).is_bindable:
        # Upstream's sentence ends with a full stop for keys only.
        raise unprocessable(f"Service plan does not allow bindings{'.' if app is None else ''}")
    _refuse_unready(instance)
    if app is None:
        quotas.refuse_excess(call, instance.space, total_service_keys=1)
        _refuse_taken_key(call, instance, body["name"])
    brokered.refuse_without_brokers(call)
    binding = CredentialBinding(
        app_guid=app.guid if app is not None else None, service_instance_guid=instance.guid, name=body.get("name")
    )
    set_metadata(binding, body)
    call.save(binding)
    kind = "service_binding" if app is not None else "service_key"
    call.audit(f"{kind}.start_create", binding, body.get("name") or "", instance.space_guid)
    return brokered.begin(call, "credential_binding", binding.guid, "create", parameters=body.get("parameters"))


def _refuse_taken_key(call: Call, instance: ServiceInstance, name: str) -> None:
    found = call.session.scalars(
        select(CredentialBinding).where(
            CredentialBinding.service_instance_guid == instance.guid,
            CredentialBinding.app_guid.is_(None),
            CredentialBinding.name == name,
        )
    ).first()
    drop_failed(call, found)
    if found is not None and found in call.session:
        raise unprocessable(
            f"The binding name is invalid. Key binding names must be unique. The service instance already has a key binding "
            f"with name '{name}'."
        )


def remove(call: Call, kind: str, binding: RouteBinding | CredentialBinding) -> Reply:
    """202; it is there until the broker has let go of it."""
    instance, operation = binding.service_instance, binding.operation
    if instance.operation is not None and instance.operation.pending:
        raise unprocessable(_BUSY)
    if operation is not None and operation.pending and operation.type == "delete":
        raise unprocessable(_BINDING_BUSY)
    brokered.refuse_without_brokers(call)
    return brokered.begin(call, kind, binding.guid, "delete")


def _refuse_unready(instance: ServiceInstance) -> None:
    operation = instance.operation
    if operation is None:
        return
    if operation.pending:
        raise unprocessable(_BUSY)
    if operation.type == "create" and operation.state == "failed":
        raise unprocessable("Service instance not found")
