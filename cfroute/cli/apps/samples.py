"""The apps that come with cfroute, and those of plugins."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cfroute import plugins
from cfroute.errors import UsageError
from cfroute.shipped_samples import shipped


def names() -> list[str]:
    """What `push --sample` knows."""
    return sorted([*shipped(), *plugins.samples()])


def folder(name: str) -> Path:
    """Where the files of one of our own are. Raises UsageError for an unknown one."""
    if (found := shipped().get(name)) is None:
        raise UsageError(f"There is no sample '{name}'. The samples are: {', '.join(names())}")
    return found


@contextlib.contextmanager
def unpacked(name: str) -> Iterator[Path]:
    """A folder with all files of a sample; a plugin's are put together for it. Raises UsageError for an unknown one."""
    if (sample := plugins.samples().get(name)) is None:
        yield folder(name)
        return
    with tempfile.TemporaryDirectory(prefix="cfroute-sample-") as made:
        for place, source in sample.files.items():
            _copy(source, Path(made, place))
        yield Path(made)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
