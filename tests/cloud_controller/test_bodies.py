"""What is told of the bodies of requests is what is checked: the schemas in validation/bodies.py, held against the answers."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cfroute.cloud_controller import app
from cfroute.cloud_controller.endpoints import Endpoint
from cfroute.cloud_controller.openapi import document as described

from .world import World

WHERE = "cfroute/cloud_controller/validation/bodies.py"


def _bodies() -> Iterator[tuple[Endpoint, Any]]:
    """Each endpoint that takes JSON, with each kind of body that it takes."""
    for endpoint in app.ENDPOINTS:
        operation = described.OPERATIONS.get(f"{endpoint.method} {endpoint.path}")
        if operation is None or operation.takes is None or operation.takes.type != "application/json":
            continue
        for schema in operation.takes.schema.get("anyOf", [operation.takes.schema]):
            yield endpoint, schema


@pytest.fixture
def world(world: World) -> World:
    world.cc.ok("PATCH", "/v3/feature_flags/hash_based_routing", {"enabled": True})
    return world


def example(schema: dict[str, Any]) -> Any:
    """Something that is as the schema has it."""
    if "anyOf" in schema:
        return example(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: example(each) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema["items"])]
    simple = {"string": "x" * max(1, schema.get("minLength", 1)), "integer": schema.get("minimum", 1), "boolean": True}
    return simple[kind]


def send(world: World, endpoint: Endpoint, schema: dict[str, Any], body: dict[str, Any]) -> httpx.Response:
    """One that changes something of ours: of a managed instance where the schema is for those."""
    path = world.path(endpoint.path, world.cc.organization)
    if path is not None and endpoint.path == "/v3/service_instances/{guid}" and "parameters" in schema["properties"]:
        path = f"/v3/service_instances/{world.managed(world.cc.organization)}"
    assert path is not None, f"tests/cloud_controller/world.py has nothing for {endpoint.path}"
    return world.cc(endpoint.method, path, body)


def details(answer: httpx.Response) -> str:
    """All that the answer complains of."""
    return " ".join(each["detail"] for each in answer.json().get("errors", [])) if answer.content else ""


def test_every_field_that_is_told_is_known(world: World) -> None:
    found = []
    for endpoint, schema in _bodies():
        told = details(send(world, endpoint, schema, example(schema)))
        if "Unknown field(s)" in told:
            found.append(f"{endpoint.method} {endpoint.path}: {told}")
    assert not found, f"{WHERE} has fields that are refused:\n" + "\n".join(found)


def test_every_other_field_is_refused(world: World) -> None:
    found = []
    for endpoint, schema in _bodies():
        if schema.get("additionalProperties") is False:
            answer = send(world, endpoint, schema, example(schema) | {"nonsense": 1})
            told = details(answer)
            if answer.status_code not in (400, 422) or not ("nonsense" in told or "structured like this" in told):
                found.append(f"{endpoint.method} {endpoint.path}: {answer.text}")
    assert not found, f"these take any field, and {WHERE} should say `opened`:\n" + "\n".join(found)


def test_no_required_field_may_be_missing(world: World) -> None:
    found = []
    for endpoint, schema in _bodies():
        whole = example(schema)
        for name in schema.get("required", []):
            answer = send(world, endpoint, schema, {key: value for key, value in whole.items() if key != name})
            if answer.status_code not in (400, 422):
                found.append(f"{endpoint.method} {endpoint.path} does without {name!r}: {answer.text}")
    assert not found, f"{WHERE} requires what is not required:\n" + "\n".join(found)


def test_what_takes_a_body_is_told(world: World) -> None:
    """Who looks at the fields of a body says so."""
    found = []
    for endpoint in app.ENDPOINTS:
        operation = described.OPERATIONS.get(f"{endpoint.method} {endpoint.path}")
        path = world.path(endpoint.path, world.cc.organization) if described.is_described(endpoint) else None
        if endpoint.method not in ("POST", "PATCH") or path is None or (operation and operation.takes):
            continue
        if "nonsense" in details(world.cc(endpoint.method, path, {"nonsense": 1})):
            found.append(f"{endpoint.method} {endpoint.path}")
    assert not found, f"these want a schema in {WHERE}, and to be told of it in cfroute/cloud_controller/openapi/:\n" + "\n".join(
        found
    )
