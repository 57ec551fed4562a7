"""Environment variables, sizes, health checks, lifecycles."""

from typing import Any

import pytest

from cfroute.cloud_controller.validation import apps, common


@pytest.mark.parametrize(
    ("variables", "messages"),
    [
        ({"A": "1", "B": None}, []),
        ([], ["Var must be an object"]),
        ({"": "x"}, ["Var key must be a minimum length of 1"]),
        ({"VCAP_X": "x"}, ["Var cannot start with VCAP_"]),
        ({"vmcx": "x"}, ["Var cannot start with VMC_"]),
        ({"PORT": "1"}, ["Var cannot set PORT"]),
        ({"A": 1}, ["Non-string value in environment variable for key 'A', value '1'"]),
    ],
)
def test_environment(variables: object, messages: list[str]) -> None:
    assert apps.environment_problems(variables) == messages


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"instances": 0, "memory_in_mb": 1}, []),
        ({"instances": -1}, ["Instances must be greater than or equal to 0"]),
        ({"instances": "x"}, ["Instances is not a number"]),
        ({"instances": float("inf")}, ["Instances must be an integer"]),
        ({"memory_in_mb": 0}, ["Memory in mb must be greater than 0"]),
        ({"disk_in_mb": 0.5}, ["Disk in mb must be an integer"]),
        ({"memory_in_mb": 512.0}, ["Memory in mb must be an integer"]),
        ({"instances": 2**31}, ["Instances must be less than or equal to 2147483647"]),
        ({"x": 1}, ["Unknown field(s): 'x'"]),
    ],
)
def test_scale(body: dict[str, Any], messages: list[str]) -> None:
    assert apps.scale_problems(body) == messages


@pytest.mark.parametrize(
    ("check", "messages"),
    [
        ({"type": "http", "data": {"endpoint": "/h", "timeout": 30}}, []),
        ({"type": "x"}, ['Health check type must be "port", "process", or "http"']),
        (
            {"type": "port", "data": {"endpoint": "/h"}},
            ['Health check type must be "http" to set a health check HTTP endpoint'],
        ),
        ({"type": "http", "data": {"endpoint": "h"}}, ["Health check endpoint must be a valid URI path"]),
        ({"data": {"timeout": 0}}, ["Health check timeout must be greater than 0"]),
        ({"data": {"timeout": 60.0}}, ["Health check timeout must be an integer"]),
        ("x", ["Health check must be an object"]),
    ],
)
def test_health_checks(check: object, messages: list[str]) -> None:
    assert apps.health_check_problems(check) == messages


@pytest.mark.parametrize(
    ("lifecycle", "messages"),
    [
        (None, []),
        ({"type": "buildpack", "data": {"buildpacks": ["a"], "stack": "s"}}, []),
        ({"type": "docker"}, ["Lifecycle type is not included in the list: buildpack"]),
        ({"data": {"buildpacks": [1]}}, ["Lifecycle Buildpacks can only contain strings"]),
        ({"data": {"stack": 1}}, ["Lifecycle Stack must be a string"]),
        ("x", ["Lifecycle must be an object"]),
    ],
)
def test_lifecycles(lifecycle: object, messages: list[str]) -> None:
    assert apps.lifecycle_problems(lifecycle) == messages


def test_names() -> None:
    assert common.name({}) == ["Name can't be blank"]
    assert common.name({}, required=False) == []
    assert common.name({"name": 1}) == ["Name must be a string"]
    assert common.name({"name": "x" * 256}) == ["Name is too long (maximum is 255 characters)"]
