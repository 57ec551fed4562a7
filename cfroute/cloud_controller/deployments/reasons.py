"""Why an app has a new revision, in upstream's words. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

INITIAL: Final = "Initial revision."


class Content(NamedTuple):
    """What an app is started with. commands: by the type of process, those that are not the droplet's own; None for its own."""

    droplet_guid: str
    environment: Mapping[str, str]
    commands: Mapping[str, str | None]


def reasons(before: Content, after: Content) -> list[str]:
    """What has changed; nothing for the same content."""
    found = []
    if before.droplet_guid != after.droplet_guid:
        found.append("New droplet deployed.")
    if before.environment != after.environment:
        found.append("New environment variables deployed.")
    for kind in {**before.commands, **after.commands}:
        found += _about_process(kind, before.commands, after.commands)
    return sorted(found)


def rolled_back(before: Content, after: Content, version: int) -> str:
    """The description of a revision that has the content of an earlier one."""
    return " ".join([*reasons(before, after), f"Rolled back to revision {version}."])


def _about_process(kind: str, before: Mapping[str, str | None], after: Mapping[str, str | None]) -> list[str]:
    if kind not in before:
        return [f"New process type '{kind}' added."]
    if kind not in after:
        return [f"Process type '{kind}' removed."]
    if before[kind] == after[kind]:
        return []
    change = "added" if before[kind] is None else "removed" if after[kind] is None else "updated"
    return [f"Custom start command {change} for '{kind}' process."]
