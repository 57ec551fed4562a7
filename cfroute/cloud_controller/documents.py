"""YAML that somebody has sent: manifests, and what a droplet says of itself. Pure."""

import msgspec.yaml
import yaml

from cfroute.cloud_controller.validation.soundness import DEEPEST, is_sound

_MOST_VALUES = 100_000


class UnreadableDocument(Exception):
    """It is no YAML, or none that is fit to be looked at."""


def read_yaml(text: bytes) -> object:
    """The value that is written there. Raises UnreadableDocument, also for one that is too deep or too large, or has a NUL."""
    if _is_too_deep(text):
        raise UnreadableDocument
    try:
        document: object = msgspec.yaml.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UnreadableDocument from error
    if not is_sound(document, _MOST_VALUES):
        raise UnreadableDocument
    return document


def _is_too_deep(text: bytes) -> bool:
    """Whether it has more levels than libyaml can build without its stack running over, which would end the process."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return True
    except yaml.YAMLError:  # is told by who reads it
        return False
    return False
