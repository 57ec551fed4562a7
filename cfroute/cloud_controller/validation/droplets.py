"""Which droplets are good. Each function returns the messages, in upstream's words and order."""

from collections.abc import Mapping
from typing import Any

from cfroute.cloud_controller.validation.common import relationships, unknown_fields


def create_problems(body: Mapping[str, Any]) -> list[str]:
    """A droplet that is to be uploaded."""
    problems = unknown_fields(body, ("relationships", "process_types")) + relationships(body, ("app",))
    types = body.get("process_types")
    if types is None:
        return problems
    if not isinstance(types, dict):
        return [*problems, "Process types must be an object"]
    if any(not kind for kind in types):
        problems.append("Process types key must not be empty")
    if any(not isinstance(command, str) for command in types.values()):
        problems.append("Process types value must be a string")
    return problems


def copy_problems(body: Mapping[str, Any]) -> list[str]:
    """A droplet that is to be copied."""
    return unknown_fields(body, ("relationships",)) + relationships(body, ("app",))
