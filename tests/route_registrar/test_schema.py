"""The file as it is read."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.route_registrar.schema import ConfigSchema, RouteSchema, UnreadableFile, load, parse


@pytest.mark.statement("route registrar 2", "The file is JSON; keys that nobody knows are ignored, and `null` is no value")
def test_unknown_keys_and_nulls() -> None:
    text = (
        b'{"availability_zone": null, "what": {"is": "that"}, "routes": [{"name": "a", "port": 1, "tls_port": null, "new": 1}]}'
    )
    assert parse(text) == ConfigSchema(routes=[RouteSchema(name="a", port=1)])


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"routes": 1}', b'{"routes": [{"port": "1"}]}', b"\xff", b"[" * 5000])
def test_what_is_no_configuration(text: bytes) -> None:
    with pytest.raises(UnreadableFile):
        parse(text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^open .*/nothing: no such file or directory$"):
        load(str(tmp_path / "nothing"))


@given(st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(UnreadableFile):
        assert isinstance(parse(data), ConfigSchema)
