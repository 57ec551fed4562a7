"""/v3/service_credential_bindings: credentials of service instances, for apps and as keys"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import Session

from cfroute.cloud_controller.actions import bindings, managed_bindings
from cfroute.cloud_controller.actions.metadata import change_metadata
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import NOT_FOUND, ApiError, refuse_if, unprocessable
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing, among, of_guids
from cfroute.cloud_controller.models import App, CredentialBinding, ServiceInstance, Space
from cfroute.cloud_controller.presenters import apps
from cfroute.cloud_controller.presenters import services as present
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation.brokers import parameters_problems
from cfroute.cloud_controller.validation.common import name, related, relationships, unknown_fields


def _apps(session: Session, found: Sequence[CredentialBinding], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    return "apps", [apps.app(each, urls) for each in of_guids(session, App, (each.app_guid for each in found))]


def _instances(_session: Session, found: Sequence[CredentialBinding], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    instances = {each.service_instance_guid: each.service_instance for each in found}
    return "service_instances", [present.instance(each, urls) for each in instances.values()]


def _of_type(values: list[str]) -> ColumnElement[bool]:
    kinds = {"app": CredentialBinding.app_guid.is_not(None), "key": CredentialBinding.app_guid.is_(None)}
    return or_(false(), *(kinds[value] for value in values if value in kinds))


LISTING = Listing(
    CredentialBinding,
    present.credential_binding,
    {
        "names": among(CredentialBinding.name),
        "app_guids": among(CredentialBinding.app_guid),
        "app_names": lambda values: CredentialBinding.app.has(App.name.in_(values)),
        "service_instance_guids": among(CredentialBinding.service_instance_guid),
        "service_instance_names": lambda values: CredentialBinding.service_instance.has(ServiceInstance.name.in_(values)),
        "type": _of_type,
    },
    includes={"app": _apps, "service_instance": _instances},
)
_NAME = "Service credential binding"
_NO_KEYS = "Service credential bindings of type 'key' are not supported for user-provided service instances."
_STATES = {"initial": "in progress", "in progress": "in progress", "failed": "failed"}


def create(call: Call) -> Reply:
    body = call.body
    is_key = body.get("type") == "key"
    refuse_if(_problems(body, is_key))
    instance = call.find(ServiceInstance, related(body, "service_instance"))
    if instance is None:
        raise unprocessable(f"The service instance could not be found: '{related(body, 'service_instance')}'")
    if is_key:
        call.find(Space, instance.space_guid)  # who has no role there may not make a key
        if not instance.managed:
            raise unprocessable(_NO_KEYS)
        return managed_bindings.create_credentials(call, instance, None, body)
    app = call.find(App, related(body, "app"))
    if app is None:
        raise unprocessable(f"The app could not be found: '{related(body, 'app')}'")
    if instance.managed:
        bindings.refuse(call, app, instance, body)
        return managed_bindings.create_credentials(call, instance, app, body)
    binding = bindings.bind(call, app, instance, body)
    return Reply(201, present.credential_binding(binding, call.urls))


def _problems(body: dict[str, Any], is_key: bool) -> list[str]:
    strategy = () if is_key else ("strategy",)
    problems = unknown_fields(body, ("type", "name", "relationships", "parameters", "metadata", *strategy))
    if body.get("type") not in ("app", "key"):
        problems.append("Type must be one of 'app', 'key'")
    if not is_key and body.get("strategy") not in (None, "single", "multiple"):
        problems.append("Strategy must be 'single' or 'multiple'")
    required = ("service_instance",) if is_key else ("service_instance", "app")
    problems += relationships(body, required) + parameters_problems(body) + metadata_problems(body.get("metadata"))
    return problems + (name(body) if is_key or body.get("name") is not None else [])


def show(call: Call) -> dict[str, Any]:
    return LISTING.included(call, call.the(CredentialBinding, _NAME))


def details(call: Call) -> dict[str, Any]:
    binding = call.the(CredentialBinding, _NAME)
    if binding.operation and binding.operation.state != "succeeded":
        raise ApiError(
            NOT_FOUND, f"{binding.operation.type.capitalize()} of credential binding {_STATES[binding.operation.state]}"
        )
    answer: dict[str, Any] = {"credentials": binding.credentials}
    if binding.syslog_drain_url:
        answer["syslog_drain_url"] = binding.syslog_drain_url
    if binding.given.get("volume_mounts"):
        answer["volume_mounts"] = binding.given["volume_mounts"]
    return answer


def update(call: Call) -> dict[str, Any]:
    binding = call.the(CredentialBinding, _NAME)
    change_metadata(call, binding)
    return present.credential_binding(binding, call.urls)


def remove(call: Call) -> Reply:
    binding = call.the(CredentialBinding, _NAME)
    if binding.service_instance.managed:
        return managed_bindings.remove(call, "credential_binding", binding)
    call.audit("service_binding.delete", binding, binding.name or "", binding.service_instance.space_guid)
    call.session.delete(binding)
    return NO_CONTENT


ENDPOINTS = (
    get("/v3/service_credential_bindings", LISTING.page),
    post("/v3/service_credential_bindings", create),
    get("/v3/service_credential_bindings/{guid}", show),
    patch("/v3/service_credential_bindings/{guid}", update),
    delete("/v3/service_credential_bindings/{guid}", remove),
    get("/v3/service_credential_bindings/{guid}/details", details),
)
