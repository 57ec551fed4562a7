"""Reads the configuration file of a daemon into a typed value. What is wrong is told with the file and the key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cfroute.errors import ConfigurationError
from cfroute.unreadable import UNREADABLE

T = TypeVar("T")


def load_yaml(path: str | Path, wanted: type[T]) -> T:
    """What the YAML file says. Raises ConfigurationError."""
    import msgspec.yaml  # those who have JSON do without

    return _load(path, wanted, msgspec.yaml.decode)


def load_json(path: str | Path, wanted: type[T]) -> T:
    """What the JSON file says. Raises ConfigurationError."""
    return _load(path, wanted, msgspec.json.decode)


def _load(path: str | Path, wanted: type[T], decode: Callable[..., Any]) -> T:
    try:
        value: T = decode(Path(path).read_bytes(), type=wanted)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (*UNREADABLE, ValueError) as error:  # a __post_init__ may refuse what it finds with a ValueError
        raise ConfigurationError(f"{path}: {error}") from error
    return value
