"""The sample apps that come with cfroute: folders below `samples/`."""

from pathlib import Path

_FOLDER = Path(__file__).with_name("samples")


def shipped() -> dict[str, Path]:
    """Where the files of each are, by name."""
    return {each.name: each for each in sorted(_FOLDER.iterdir()) if each.is_dir() and not each.name.startswith(("_", "."))}
