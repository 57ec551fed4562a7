"""The description itself: OpenAPI 3.1, of the endpoints that answer."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cfroute.cloud_controller.endpoints import Endpoint
from cfroute.cloud_controller.listing import Listing
from cfroute.cloud_controller.openapi import apps, deployments, general, platform, routing, services, tenancy
from cfroute.cloud_controller.openapi.operation import JSON, Content, Operation
from cfroute.cloud_controller.openapi.parameters import query_of
from cfroute.cloud_controller.permissions import ANYBODY, rule_of
from cfroute.cloud_controller.resources.roots import API_VERSION
from cfroute.cloud_controller.validation.shapes import TEXT, Schema, ref, text

SUBJECTS: Final = (general, tenancy, routing, apps, deployments, services, platform)
OBJECTS: Final[Mapping[str, Schema]] = {name: schema for each in SUBJECTS for name, schema in each.OBJECTS.items()}
OPERATIONS: Final[Mapping[str, Operation]] = {
    line: operation for each in SUBJECTS[1:] for line, operation in each.OPERATIONS.items()
}
ERRORS: Final = {
    "400": "The request is no good: its query, its body, or when it comes",
    "401": "There is no token, or none that is good",
    "403": "The token is good, but its user may not do that",
    "404": "There is no such thing, or none that the user sees",
    "409": "Something else is being done to the thing",
    "413": "The body is too large",
    "422": "The request is well-formed, and cannot be done",
    "502": "A service broker has answered with nonsense",
    "503": "Something that is needed is away: the database, the UAA, the Routing API, or the rest of the foundation",
}
_TOKEN: Final[dict[str, list[str]]] = {"bearer": []}
_ABOUT: Final = (
    "The Cloud Controller's API, v3. Below `/uaa` the UAA answers, and below `/routing` the Routing API; "
    "`links` of `GET /` lead there. Lists take filters as lists with commas; an empty filter value is a filter."
)


def is_described(endpoint: Endpoint) -> bool:
    """Whether it is ours to describe: what is handed on as it came is not."""
    return ":path}" not in endpoint.path


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The description of these endpoints, each of which has to have its line in `OPERATIONS` (KeyError)."""
    paths: dict[str, Any] = {}
    for endpoint in filter(is_described, endpoints):
        operation = OPERATIONS[f"{endpoint.method} {endpoint.path}"]
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _described(endpoint, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cloud Controller", "version": API_VERSION, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [_TOKEN],
        "paths": paths,
        "components": {
            "schemas": dict(OBJECTS),
            "responses": {status: _error(why) for status, why in ERRORS.items()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _error(why: str) -> dict[str, Any]:
    return {"description": why, "content": {JSON: {"schema": ref("Errors")}}}


def _described(endpoint: Endpoint, operation: Operation) -> dict[str, Any]:
    answers = {str(status): _answer(content) for status, content in operation.answers.items()}
    described = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").strip("_"),
        "tags": [_tag(endpoint.path)],
        "summary": _summary(endpoint),
        "description": _permission(endpoint),
        "parameters": [*_path_parameters(endpoint.path), *map(_query_parameter, query_of(operation).items())],
        "responses": answers | {status: {"$ref": f"#/components/responses/{status}"} for status in ERRORS},
    }
    if operation.takes is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.takes)}
    if endpoint.open:
        return described | {"security": []}
    return described | ({"security": [_TOKEN, {}]} if endpoint.public else {})


def _tag(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "v3" and len(parts) > 1 else "roots"


def _summary(endpoint: Endpoint) -> str:
    """The first line of what the handler says of itself, or else its name."""
    handler = endpoint.handler
    if isinstance(getattr(handler, "__self__", None), Listing):
        return "List"
    return (handler.__doc__ or handler.__name__.replace("_", " ").capitalize()).strip().splitlines()[0]


def _permission(endpoint: Endpoint) -> str:
    """Who may do it, as `permissions` has it."""
    rule = rule_of(endpoint.method, endpoint.path)
    if endpoint.open:
        return "Needs no token."
    if endpoint.public:
        return "For whoever sees what it is about; without a token, what is public."
    if rule == ANYBODY:
        return "For whoever sees what it is about."
    return f"For admins, and {', '.join(sorted(rule.roles))} of the place." if rule else "For admins."


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": text(shortest=1)} for name in re.findall(r"{(\w+)}", path)]


def _query_parameter(parameter: tuple[str, Schema]) -> dict[str, Any]:
    name, schema = parameter
    listed = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return {"name": name, "in": "query", "schema": schema, **listed}


def _content(content: Content) -> dict[str, Any]:
    return {content.type: {"schema": content.schema}}


def _answer(content: Content | None) -> dict[str, Any]:
    if content is None:
        location = {"Location": {"description": "The job", "required": True, "schema": TEXT}}
        return {"description": "Accepted", "headers": location}
    if not content.type:
        return {"description": "Done"}
    return {"description": "Done", "content": _content(content)}
