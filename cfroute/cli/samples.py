"""The apps that come with cfroute."""

from importlib import resources
from pathlib import Path

from cfroute.errors import UsageError


def names() -> list[str]:
    """What `push --sample` knows."""
    found = resources.files("cfroute").joinpath("samples")
    return sorted(each.name for each in found.iterdir() if each.is_dir() and not each.name.startswith(("_", ".")))


def folder(name: str) -> Path:
    """Where a sample's files are. Raises UsageError for an unknown one."""
    if name not in names():
        raise UsageError(f"There is no sample '{name}'. The samples are: {', '.join(names())}")
    return Path(str(resources.files("cfroute").joinpath("samples", name)))
