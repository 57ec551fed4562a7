"""What brokers are asked: paths, bodies and headers of the Open Service Broker API. Pure."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from cfroute.cloud_controller.brokers.calls import Call

API_VERSION = "2.15"


@dataclass(frozen=True)
class Request:
    """One question to a broker; `path` is appended to its URL."""

    call: Call
    method: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Place:
    """The space that an instance is in, and its organization."""

    organization_guid: str
    organization_name: str
    space_guid: str
    space_name: str
    organization_annotations: Mapping[str, str] = field(default_factory=dict)
    space_annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def context(self) -> dict[str, Any]:
        """What every body tells of the platform."""
        return {
            "platform": "cloudfoundry",
            "organization_guid": self.organization_guid,
            "organization_name": self.organization_name,
            "organization_annotations": dict(self.organization_annotations),
            "space_guid": self.space_guid,
            "space_name": self.space_name,
            "space_annotations": dict(self.space_annotations),
        }


@dataclass(frozen=True)
class Subject:
    """An instance, by the names that its broker has given to its service and plan."""

    guid: str
    name: str
    service_id: str
    plan_id: str
    place: Place
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/v2/service_instances/{quote(self.guid, safe='')}"

    @property
    def context(self) -> dict[str, Any]:
        return {**self.place.context, "instance_name": self.name, "instance_annotations": dict(self.annotations)}

    @property
    def ids(self) -> dict[str, str]:
        return {"service_id": self.service_id, "plan_id": self.plan_id}


def catalog() -> Request:
    return Request(Call.CATALOG, "GET", "/v2/catalog")


def provision(subject: Subject, parameters: Mapping[str, Any], maintenance_info: Mapping[str, Any] | None = None) -> Request:
    place = {"organization_guid": subject.place.organization_guid, "space_guid": subject.place.space_guid}
    body = {**subject.ids, **place, "context": subject.context, **_given(parameters, maintenance_info)}
    return Request(Call.PROVISION, "PUT", _incomplete(subject.path), body)


def update(
    before: Subject, after: Subject, parameters: Mapping[str, Any], maintenance_info: Mapping[str, Any] | None = None
) -> Request:
    """Another plan, other parameters or another name."""
    previous = {
        **before.ids,
        "organization_id": before.place.organization_guid,
        "space_id": before.place.space_guid,
    }
    body = {**after.ids, "context": after.context, "previous_values": previous, **_given(parameters, maintenance_info)}
    return Request(Call.UPDATE, "PATCH", _incomplete(before.path), body)


def deprovision(subject: Subject) -> Request:
    return Request(Call.DEPROVISION, "DELETE", _incomplete(subject.path, subject.ids))


def bind_route(subject: Subject, binding: str, route: str, parameters: Mapping[str, Any]) -> Request:
    """`route` is `host.domain/path`, without a scheme."""
    return _bind(subject, binding, {"bind_resource": {"route": route}}, parameters)


def bind_app(subject: Subject, binding: str, app: str, parameters: Mapping[str, Any]) -> Request:
    """`app` is the guid of the app that gets the credentials."""
    resource = {"app_guid": app, "space_guid": subject.place.space_guid}
    return _bind(subject, binding, {"app_guid": app, "bind_resource": resource}, parameters)


def bind_key(subject: Subject, binding: str, parameters: Mapping[str, Any]) -> Request:
    """Credentials for nobody in particular."""
    return _bind(subject, binding, {"bind_resource": {}}, parameters)


def _bind(subject: Subject, binding: str, whom: Mapping[str, Any], parameters: Mapping[str, Any]) -> Request:
    body = {**subject.ids, **whom, "context": subject.context, **_given(parameters, None)}
    return Request(Call.BIND, "PUT", _incomplete(_binding(subject, binding)), body)


def unbind(subject: Subject, binding: str) -> Request:
    return Request(Call.UNBIND, "DELETE", _incomplete(_binding(subject, binding), subject.ids))


def last_operation(subject: Subject, operation: str, binding: str = "") -> Request:
    """How far the operation on the instance, or on its binding, has come."""
    path = _binding(subject, binding) if binding else subject.path
    asked = subject.ids | ({"operation": operation} if operation else {})
    return Request(Call.LAST_OPERATION, "GET", f"{path}/last_operation?{urlencode(asked)}")


def fetch(subject: Subject, binding: str = "") -> Request:
    """The instance, or the binding, as the broker has it."""
    path = _binding(subject, binding) if binding else subject.path
    return Request(Call.FETCH, "GET", f"{path}?{urlencode(subject.ids)}")


def headers(user_guid: str, request_id: str, api_url: str) -> list[tuple[str, str]]:
    """What every request carries besides its credentials: the version, who wanted it, and where we are."""
    identity = b64encode(msgspec.json.encode({"user_id": user_guid})).decode()
    return [
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("X-Broker-Api-Version", API_VERSION),
        ("X-Broker-Api-Originating-Identity", f"cloudfoundry {identity}"),
        ("X-Broker-Api-Request-Identity", request_id),
        ("X-Api-Info-Location", f"{api_url}/v2/info"),
        ("X-Vcap-Request-Id", request_id),
    ]


def _binding(subject: Subject, binding: str) -> str:
    return f"{subject.path}/service_bindings/{quote(binding, safe='')}"


def _incomplete(path: str, asked: Mapping[str, str] | None = None) -> str:
    """The path of what the broker may begin and finish later."""
    return f"{path}?{urlencode({'accepts_incomplete': 'true', **(asked or {})})}"


def _given(parameters: Mapping[str, Any], maintenance_info: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is left out when there is none of it."""
    given: dict[str, Any] = {"parameters": dict(parameters)} if parameters else {}
    return given | ({"maintenance_info": dict(maintenance_info)} if maintenance_info else {})
