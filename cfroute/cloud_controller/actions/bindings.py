"""Binding service instances to apps."""

from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller.actions import managed_bindings
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, CredentialBinding, ServiceInstance


def bind(call: Call, app: App, instance: ServiceInstance, body: dict[str, Any]) -> CredentialBinding:
    """Bind; the app sees it at its next start. Raises the first reason, in upstream's order, why it cannot be."""
    if body.get("parameters"):
        raise unprocessable("Binding parameters are not supported for user-provided service instances")
    refuse(call, app, instance, body)
    binding = CredentialBinding(app_guid=app.guid, service_instance_guid=instance.guid, name=body.get("name"))
    set_metadata(binding, body)
    call.save(binding)
    call.audit("service_binding.create", binding, body.get("name") or "", app.space_guid)
    return binding


def refuse(call: Call, app: App, instance: ServiceInstance, body: dict[str, Any]) -> None:
    """Raise the first reason why these two cannot be bound, whoever has made the instance."""
    if app.space_guid != instance.space_guid:
        raise unprocessable("The service instance and the app are in different spaces")
    of_app = select(CredentialBinding).where(CredentialBinding.app_guid == app.guid)
    for same in call.session.scalars(of_app.where(CredentialBinding.service_instance_guid == instance.guid)).all():
        managed_bindings.drop_failed(call, same)
    existing = call.session.scalars(of_app).all()
    if any(each.service_instance_guid == instance.guid for each in existing):
        raise unprocessable("The app is already bound to the service instance")
    if body.get("name") and any(each.name == body["name"] for each in existing):
        raise unprocessable(
            "The binding name is invalid. App binding names must be unique. The app already has a binding "
            f"with name '{body['name']}'."
        )
