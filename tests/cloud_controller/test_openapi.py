"""The description at /openapi.json is valid, whole, and true: it is held against the API that answers."""

import re
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from cfroute.cloud_controller import app
from cfroute.cloud_controller.endpoints import Endpoint
from cfroute.cloud_controller.openapi import document as described
from cfroute.cloud_controller.openapi.parameters import query_of

from .world import World

ENDPOINTS = [each for each in app.ENDPOINTS if described.is_described(each)]
LINES = {f"{each.method} {each.path}": each for each in ENDPOINTS}
DESCRIBED = {line: endpoint for line, endpoint in LINES.items() if line in described.OPERATIONS}
# They take any parameter, as upstream's do, or are another component's.
UNCHECKED = (
    "GET /api/v1/read/{guid}",
    "GET /v3/service_instances/{guid}",
    "GET /v3/tasks/{guid}",
)
WHERE = "OPERATIONS in the module of cfroute/cloud_controller/openapi/ that its subject belongs to"


def test_every_line_of_the_api_is_described() -> None:
    missing = sorted(LINES.keys() - described.OPERATIONS.keys())
    assert not missing, f"these want a line in {WHERE}:\n" + "\n".join(missing)


def test_everything_described_is_a_line_of_the_api() -> None:
    unknown = sorted(described.OPERATIONS.keys() - LINES.keys())
    assert not unknown, f"nobody answers these of {WHERE}:\n" + "\n".join(unknown)


def test_nothing_is_described_twice() -> None:
    subjects = described.SUBJECTS
    assert len(described.OBJECTS) == sum(len(each.OBJECTS) for each in subjects)
    assert len(described.OPERATIONS) == sum(len(each.OPERATIONS) for each in subjects[1:])


def test_it_is_openapi(cc: Any) -> None:
    """As somebody else's validator has it; it needs no token."""
    answer = cc("GET", "/openapi.json", headers={"Authorization": ""})
    assert answer.headers["content-type"] == "application/json"
    problems = list(OpenAPIV31SpecValidator(answer.json()).iter_errors())
    assert not problems, problems


def test_every_object_is_used() -> None:
    text = str(described.document(DESCRIBED.values()))
    assert not [name for name in described.OBJECTS if f"#/components/schemas/{name}'" not in text]


def test_the_query_parameters_are_those_that_are_taken(world: World) -> None:
    """A wrong one is refused with the names of the right ones."""
    for line, endpoint in DESCRIBED.items():
        if endpoint.method != "GET" or not query_of(described.OPERATIONS[line]):
            continue
        answer = world.cc("GET", _path(world, endpoint), params={"nonsense": "1"})
        told = answer.json().get("errors", [{}])[0].get("detail", "")
        if answer.status_code != 400 or "Valid parameters are" not in told:
            assert line in UNCHECKED, (line, answer.text)
            continue
        valid = set(re.findall(r"'([^']*)'", told.partition("Valid parameters are: ")[2]))
        documented = {name.partition("[")[0] for name in query_of(described.OPERATIONS[line])}
        assert valid == documented, f"{line}: the parameters in {WHERE} differ from those that it takes"


def test_what_is_answered_looks_as_it_is_described(world: World) -> None:
    """In everything that a GET shows, there is all that is promised, and nothing that is not told."""
    schemas = _closed(described.document(DESCRIBED.values()))["components"]["schemas"]
    seen = 0
    for line, endpoint in DESCRIBED.items():
        content = described.OPERATIONS[line].answers.get(200)
        if endpoint.method != "GET" or content is None or content.type != "application/json":
            continue
        answer = world.cc("GET", _path(world, endpoint))
        if answer.status_code != 200:
            continue
        validator = Draft202012Validator({"components": {"schemas": schemas}, **_closed(content.schema)})
        problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json())]
        assert not problems, f"{line} differs from its schema in cfroute/cloud_controller/openapi/:\n" + "\n".join(problems)
        seen += 1
    assert seen > 60


def _path(world: World, endpoint: Endpoint) -> str:
    path = world.path(endpoint.path, world.cc.organization)
    return path or re.sub(r"{\w+}", "unknown", endpoint.path)


def _closed(schema: Any) -> Any:
    """The schema, with objects that have no other keys than those that it names."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
