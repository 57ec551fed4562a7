"""Reading the configuration files of the BBS and the cells."""

from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from cfroute.errors import ConfigurationError

T = TypeVar("T", bound=msgspec.Struct)


def load(path: str, type_: type[T]) -> T:
    """The YAML file as `type_`. Raises ConfigurationError, which names the file and the key."""
    try:
        return msgspec.convert(yaml.safe_load(Path(path).read_text()), type_)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no valid configuration: {error}") from error
