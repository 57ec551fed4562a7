"""What is written after -c: a JSON object, a file with one, or neither."""

from pathlib import Path

import pytest

from cfroute.cli.services.service_options import read_object, read_tags


def test_an_object_inline_and_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    file.write_text('{"name": "Zoë"}', encoding="utf-8")
    assert read_object('{"a": 1}') == {"a": 1}
    assert read_object(str(file)) == {"name": "Zoë"}


@pytest.mark.parametrize("text", ["", "[1]", "{", "no-file", pytest.param("x" * 5000, id="longer than a name can be")])
def test_what_is_none(text: str) -> None:
    assert read_object(text) is None


def test_a_file_that_is_no_text_is_none(tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    file.write_bytes(b"\xff\xfe\x00")
    assert read_object(str(file)) is None


def test_tags() -> None:
    assert read_tags(" a,b , ,") == ["a", "b"]
