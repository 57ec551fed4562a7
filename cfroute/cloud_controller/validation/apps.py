"""Which apps, processes, environment variables and packages are good."""

from collections.abc import Mapping
from typing import Any

from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.validation.common import name, relationships, unknown_fields, whole_number

_LIFECYCLES = ("buildpack",)
_HEALTH_CHECKS = ("port", "process", "http")


def create_problems(body: Mapping[str, Any]) -> list[str]:
    fields = ("name", "relationships", "environment_variables", "lifecycle", "metadata")
    problems = unknown_fields(body, fields) + name(body) + relationships(body, ("space",))
    if body.get("environment_variables") is not None:
        problems += environment_problems(body["environment_variables"], "Environment variables")
    return problems + lifecycle_problems(body.get("lifecycle")) + metadata_problems(body.get("metadata"))


def update_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, ("name", "lifecycle", "metadata")) + name(body, required=False)
    return problems + lifecycle_problems(body.get("lifecycle")) + metadata_problems(body.get("metadata"))


def lifecycle_problems(lifecycle: object) -> list[str]:
    if lifecycle is None:
        return []
    if not isinstance(lifecycle, dict):
        return ["Lifecycle must be an object"]
    kind, data = lifecycle.get("type", "buildpack"), lifecycle.get("data", {})
    if kind not in _LIFECYCLES:
        return [f"Lifecycle type is not included in the list: {', '.join(_LIFECYCLES)}"]
    if not isinstance(data, dict):
        return ["Lifecycle data must be an object"]
    problems = [f"Lifecycle {problem}" for problem in unknown_fields(data, ("buildpacks", "stack"))]
    buildpacks, stack = data.get("buildpacks"), data.get("stack")
    if buildpacks is not None and not _texts(buildpacks):
        problems.append("Lifecycle Buildpacks can only contain strings")
    if stack is not None and not isinstance(stack, str):
        problems.append("Lifecycle Stack must be a string")
    return problems


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def environment_problems(variables: object, label: str = "Var") -> list[str]:
    """What is wrong with environment variables; a null takes one away."""
    if not isinstance(variables, dict):
        return [f"{label} must be an object"]
    problems = []
    for key, value in variables.items():
        upper = key.upper()
        checks = (
            (not key, "key must be a minimum length of 1"),
            (upper.startswith("VCAP_"), "cannot start with VCAP_"),
            (upper.startswith("VMC"), "cannot start with VMC_"),
            (upper == "PORT", "cannot set PORT"),
            (
                not (value is None or isinstance(value, str)),
                f"Non-string value in environment variable for key '{key}', value '{value}'",
            ),
        )
        problems += [message if message.startswith("Non-string") else f"{label} {message}" for wrong, message in checks if wrong]
    return problems


def scale_problems(body: Mapping[str, Any]) -> list[str]:
    fields = ("instances", "memory_in_mb", "disk_in_mb", "log_rate_limit_in_bytes_per_second")
    return (
        unknown_fields(body, fields)
        + whole_number(body, "instances", "Instances", 0)
        + whole_number(body, "memory_in_mb", "Memory in mb", 1)
        + whole_number(body, "disk_in_mb", "Disk in mb", 1)
        + whole_number(body, "log_rate_limit_in_bytes_per_second", "Log rate limit in bytes per second", -1, 2**63 - 1)
    )


def limits_problems(disk_mb: int, most_disk_mb: int, timeout: int | None, longest_timeout: int) -> list[str]:
    """What no process gets of the platform, whatever the quotas say. Memory has no other limit than theirs."""
    problems = []
    if disk_mb > most_disk_mb:
        problems.append(f"disk_quota too much disk requested (requested {disk_mb} MB - must be less than {most_disk_mb} MB)")
    if timeout is not None and timeout > longest_timeout:
        problems.append(f"health_check_timeout Maximum exceeded: max {longest_timeout}s")
    return problems


def process_problems(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with `PATCH /v3/processes/:guid`."""
    problems = unknown_fields(body, ("command", "health_check", "readiness_health_check", "metadata"))
    command, check = body.get("command"), body.get("health_check")
    if command is not None and not (isinstance(command, str) and 1 <= len(command) <= 4096):
        problems.append("Command must be between 1 and 4096 characters")
    if check is not None:
        problems += health_check_problems(check)
    return problems + metadata_problems(body.get("metadata"))


def health_check_problems(check: object) -> list[str]:
    if not isinstance(check, dict):
        return ["Health check must be an object"]
    kind, data = check.get("type"), {} if check.get("data") is None else check["data"]
    problems = [] if kind in (None, *_HEALTH_CHECKS) else ['Health check type must be "port", "process", or "http"']
    if not isinstance(data, dict):
        return [*problems, "Health check data must be an object"]
    endpoint = data.get("endpoint")
    if endpoint is not None and kind not in (None, "http"):
        problems.append('Health check type must be "http" to set a health check HTTP endpoint')
    elif endpoint is not None and not is_uri_path(endpoint):
        problems.append("Health check endpoint must be a valid URI path")
    problems += whole_number(data, "timeout", "Health check timeout", 1)
    return problems + whole_number(data, "invocation_timeout", "Health check invocation timeout", 1)


def is_uri_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/") and not any(c.isspace() or ord(c) < 32 for c in value)


def feature_problems(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with `PATCH /v3/apps/:guid/features/:name`."""
    good = isinstance(body.get("enabled"), bool)
    return unknown_fields(body, ("enabled",)) + ([] if good else ["Enabled must be a boolean"])


def package_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, ("type", "relationships", "data", "metadata"))
    if body.get("type") != "bits":
        problems.append("Type must be one of 'bits'")
    return problems + relationships(body, ("app",)) + metadata_problems(body.get("metadata"))


def package_copy_problems(body: Mapping[str, Any]) -> list[str]:
    """A package that is to be copied."""
    return unknown_fields(body, ("relationships",)) + relationships(body, ("app",))


def package_guid_problems(package: object) -> list[str]:
    """What is wrong with the package that a build is to be made of."""
    guid = package.get("guid") if isinstance(package, dict) else None
    if guid is None:
        return ["Package guid can't be blank"]
    return [] if isinstance(guid, str) else ["Package guid must be a string"]
