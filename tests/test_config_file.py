"""What is told of a configuration file that cannot be used."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cfroute.config_file import load_json, load_yaml
from cfroute.errors import ConfigurationError


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """A small one."""

    port: int = 80

    def __post_init__(self) -> None:
        if self.port < 0:
            raise ValueError("port is negative")


class Open(msgspec.Struct):
    """Ignores what it does not know, and has to read it for that."""


@pytest.mark.parametrize(("load", "text"), [(load_yaml, "port: 8080"), (load_json, '{"port": 8080}')], ids=["yaml", "json"])
def test_what_it_says(load: Callable[..., Wanted], text: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(text)
    assert load(tmp_path / "f", Wanted) == Wanted(8080)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"port: x", "Expected `int`, got `str` - at `$.port`"),
        (b"prot: 8080", "Object contains unknown field `prot`"),
        (b"port: -1", "port is negative"),
        (b"port: [", "while parsing a flow node"),
        (b"\xff", "UTF-8"),
    ],
    ids=["type", "key", "value", "syntax", "encoding"],
)
def test_what_cannot_be_used_is_named(text: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(text)
    with pytest.raises(ConfigurationError) as raised:
        load_yaml(path, Wanted)
    assert raised.value.message.startswith(f"{path}: ")
    assert problem in raised.value.message


def test_brackets_without_end(tmp_path: Path) -> None:
    (tmp_path / "f").write_text('{"more": ' + "[" * 100_000)
    with pytest.raises(ConfigurationError, match="recursion"):
        load_json(tmp_path / "f", Open)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        load_json(tmp_path / "f", Wanted)
