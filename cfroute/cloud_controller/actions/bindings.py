"""Binding service instances to apps."""

from collections.abc import Sequence
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
    """Raise the first reason why these two cannot be bound, whoever has made the instance. With the strategy `multiple` they may
    be bound already, as often as the configuration allows, so that an app can get new credentials while it has the old ones.
    """
    if app.space_guid not in (instance.space_guid, *(space.guid for space in instance.shared_spaces)):
        raise unprocessable("The service instance and the app are in different spaces")
    most = call.platform.config.max_service_credential_bindings_per_app_service_instance
    _refuse_more(_same(call, app, instance), body.get("name"), most if body.get("strategy") == "multiple" else 1)
    _refuse_taken_name(call, app, instance, body.get("name"))


def _same(call: Call, app: App, instance: ServiceInstance) -> list[CredentialBinding]:
    """The bindings of the two; what could not be made is forgotten."""
    own = select(CredentialBinding).where(
        CredentialBinding.app_guid == app.guid, CredentialBinding.service_instance_guid == instance.guid
    )
    found = call.session.scalars(own).all()
    for each in found:
        managed_bindings.drop_failed(call, each)
    return [each for each in found if each in call.session]


def _refuse_more(bindings: Sequence[CredentialBinding], name: str | None, most: int) -> None:
    if bindings and most == 1:
        raise unprocessable("The app is already bound to the service instance")
    for each in bindings:
        if each.operation is not None and each.operation.pending:
            raise unprocessable(
                f"There is already a binding in progress for this service instance and app (binding guid: {each.guid})"
            )
        if each.name != name:
            raise unprocessable("The binding name cannot be changed for the same app and service instance")
    if len(bindings) >= most:
        limit = f"The app has too many bindings to this service instance (limit: {most})."
        raise unprocessable(f"{limit} Consider deleting existing/orphaned bindings.")


def _refuse_taken_name(call: Call, app: App, instance: ServiceInstance, name: str | None) -> None:
    taken = select(CredentialBinding.guid).where(
        CredentialBinding.app_guid == app.guid,
        CredentialBinding.name == name,
        CredentialBinding.service_instance_guid != instance.guid,
    )
    if name and call.session.scalars(taken).first():
        raise unprocessable(
            "The binding name is invalid. Binding names must be unique for a given service instance and app. "
            f"The app already has a binding with name '{name}'."
        )
