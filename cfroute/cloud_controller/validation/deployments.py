"""Which deployments are good. Each function returns the messages, in upstream's words and order."""

from collections.abc import Mapping
from typing import Any, Final

from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.validation.common import unknown_fields, whole_number

STRATEGIES: Final = ("rolling", "canary")
OPTIONS: Final = (
    "canary",
    "max_in_flight",
    "web_instances",
    "memory_in_mb",
    "disk_in_mb",
    "log_rate_limit_in_bytes_per_second",
)
_FIELDS = ("relationships", "droplet", "revision", "strategy", "options", "metadata")


def create_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, _FIELDS)
    strategy = body.get("strategy")
    if strategy is not None and strategy not in STRATEGIES:
        problems.append(f"Strategy '{strategy}' is not a supported deployment strategy")
    for field in ("droplet", "revision"):
        problems += _named(body.get(field), field.capitalize())
    if body.get("revision") and body.get("droplet"):
        problems.append("Droplet Cannot set both fields 'droplet' and 'revision'")
    problems += _option_problems(body.get("options"), strategy)
    return problems + metadata_problems(body.get("metadata"))


def _named(value: object, label: str) -> list[str]:
    """`{"guid": "…"}`, or nothing."""
    good = value is None or (isinstance(value, dict) and isinstance(value.get("guid"), str | None))
    return [] if good else [f"{label} must be an object with a guid"]


def _option_problems(options: object, strategy: object) -> list[str]:
    if not options:
        return []
    if not isinstance(options, dict):
        return ["Options must be an object"]
    unknown = [name for name in options if name not in OPTIONS]
    problems = [f"Options has unsupported key(s): {', '.join(unknown)}"] if unknown else []
    problems += whole_number(options, "web_instances", "Web instances", 0)
    problems += whole_number(options, "memory_in_mb", "Memory in mb", 1)
    problems += whole_number(options, "disk_in_mb", "Disk in mb", 1)
    problems += whole_number(options, "log_rate_limit_in_bytes_per_second", "Log rate limit in bytes per second", -1, 2**63 - 1)
    most = options.get("max_in_flight")
    if most is not None and (not _is_whole(most) or not 1 <= most <= 2**31 - 1):
        problems.append("Max in flight must be an integer greater than 0")
    return problems + _canary_problems(options.get("canary"), strategy)


def _canary_problems(canary: object, strategy: object) -> list[str]:
    if canary is None:
        return []
    if not isinstance(canary, dict):
        return ["Options canary must be an object"]
    if strategy != "canary":
        return ["Options canary are only valid for Canary deployments"]
    steps = canary.get("steps")
    return [f"Options canary steps {problem}" for problem in _step_problems(steps)] if steps is not None else []


def _step_problems(steps: object) -> list[str]:
    if not isinstance(steps, list) or any(not isinstance(step, dict) for step in steps):
        return ["must be an array of objects"]
    unknown = [", ".join(name for name in step if name != "instance_weight") for step in steps]
    problems = [f"has unsupported key(s): {names}" for names in unknown if names]
    if any("instance_weight" not in step for step in steps):
        problems.append('missing key: "instance_weight"')
    weights = [step.get("instance_weight") for step in steps]
    if any(not _is_whole(weight) or not 1 <= weight <= 100 for weight in weights):
        return [*problems, "instance weight must be an Integer between 1-100 (inclusive)"]
    if weights != sorted(weights):
        problems.append("instance weight must be sorted in ascending order")
    return problems


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
