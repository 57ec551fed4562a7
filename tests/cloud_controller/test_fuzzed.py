"""Requests as the description has them, and as it does not: never a 500, and every answer is one that is described.

`FUZZ_EXAMPLES=1000 make test ARGS=tests/cloud_controller/test_fuzzed.py` looks longer, and at other requests each time.
"""

import os
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks

from .world import World

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
KINDS = {
    "app": "apps",
    "current_droplet": "droplets",
    "domain": "domains",
    "droplet": "droplets",
    "organization": "organizations",
    "package": "packages",
    "route": "routes",
    "service_instance": "service_instances",
    "service_plan": "service_plans",
    "space": "spaces",
    "user": "users",
}
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
# What is deleted is deleted last, and the smaller thing before the larger one.
ORDER = ("GET", "POST", "PATCH", "DELETE")


@pytest.fixture
def world(world: World) -> World:
    world.cc.ok("PATCH", "/v3/feature_flags/hash_based_routing", {"enabled": True})
    return world


@pytest.mark.parametrize(("who", "times"), [("admin", 2), ("space_developer", 1)])
def test_no_request_is_too_strange(world: World, who: str, times: int) -> None:
    description = world.cc.ok("GET", "/openapi.json")
    del description["security"]  # tokens have tests of their own
    operations = [each.ok() for each in schemathesis.openapi.from_dict(description).get_all_operations()]
    operations.sort(key=lambda each: (ORDER.index(each.method.upper()), -each.path.count("/"), each.path))
    found = []
    with world.cc.being(who):
        for operation in operations:
            try:
                look(world, operation, EXAMPLES or times)
            except FailureGroup as group:
                found += [f"{operation.label}: {each}\n{group.message}" for each in group.exceptions]
    assert not found, "\n\n".join(found)


def look(world: World, operation: Any, times: int) -> None:
    """Ask for one operation so many times."""
    strategies = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(
        max_examples=times,
        derandomize=not EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(strategies), st.booleans())
    def ask(case: Case, known: bool) -> None:
        if known:
            make_known(world, case)
        request = requests.Request(**case.as_transport_kwargs(base_url="http://api.test")).prepare()
        answer = world.cc(request.method, request.url, content=request.body or b"", headers=dict(request.headers))
        left_out = any(isinstance(value, dict) or value == [] for value in (case.query or {}).values())
        case.validate_response(answer, checks=CHECKS[:-1] if left_out else CHECKS)

    ask()


def make_known(world: World, case: Case) -> None:
    """Put guids of things that there are where the request names any, unless it is meant to be wrong there."""
    wrong = {place for place, each in case.meta.components.items() if each.mode.is_negative} if case.meta else set()
    if ParameterLocation.PATH not in wrong:
        parts = world.parts(case.operation.path, world.organization)
        case.path_parameters.update({name: value for name, value in parts.items() if name in case.path_parameters})
    if ParameterLocation.BODY not in wrong:
        fill(world, case.body)


def fill(world: World, value: Any) -> None:
    """The same in the middle of a body."""
    if isinstance(value, list):
        for each in value:
            fill(world, each)
    elif isinstance(value, dict):
        for name, each in value.items():
            owner = each.get("data", each) if isinstance(each, dict) else None
            if name in KINDS and isinstance(owner, dict) and "guid" in owner:
                owner["guid"] = world.things[world.organization][KINDS[name]]
            else:
                fill(world, each)
