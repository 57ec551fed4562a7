"""Structs of YAML: mappings, and structs that may be absent. The Gorouter's own file is tested with its configuration."""

import msgspec
import pytest

from cfroute.go import yaml


class Inner(msgspec.Struct, frozen=True):
    name: str = ""


class Outer(msgspec.Struct, frozen=True):
    tags: dict[str, str] | None = None
    counts: dict[str, int] = {}
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("tags: {a: 1, b: yes, c: ''}", Outer(tags={"a": "1", "b": "yes", "c": ""})),
        ("counts: {a: 0x10}", Outer(counts={"a": 16})),
        ("tags: {}", Outer(tags={})),
        ("tags: ~\ninner: ~", Outer()),
        ("inner: {}", Outer(inner=Inner())),
        ("inner: {name: x, other: 1}", Outer(inner=Inner("x"))),
        ("x: &x {a: b}\ntags: {<<: *x, c: d}", Outer(tags={"a": "b", "c": "d"})),
    ],
)
def test_mappings_and_what_may_be_absent(text: str, made: Outer) -> None:
    assert yaml.decode(text, Outer(), "Outer") == made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tags: [a]", "line 1: cannot unmarshal !!seq into map[string]string"),
        ("counts: {a: x}", "line 1: cannot unmarshal !!str `x` into int"),
        ("inner: 1", "line 1: cannot unmarshal !!int `1` into config.Inner"),
        ("tags: {a: b, a: c}", 'line 1: mapping key "a" already defined at line 1'),
    ],
)
def test_what_does_not_fit(text: str, told: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.decode(text, Outer(), "Outer")
    assert str(caught.value) == f"yaml: unmarshal errors:\n  {told}"
