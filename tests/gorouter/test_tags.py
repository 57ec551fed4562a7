"""Tags in little room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.routing_table.tags import Tags

TAGS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5)


@given(TAGS, TAGS)
def test_they_are_like_the_dictionary(one: dict[str, str], other: dict[str, str]) -> None:
    tags = Tags(one)
    assert dict(tags) == one
    assert len(tags) == len(one)
    assert (tags == other) is (one == other)
    assert (other == tags) is (one == other)
    assert (tags == Tags(other)) is (one == other)
    for name in other:
        assert tags.get(name) == one.get(name)


def test_their_order_does_not_count() -> None:
    assert Tags({"a": "1", "b": "2"}) == {"b": "2", "a": "1"}
    assert Tags({"a": "1", "b": "2"}) == Tags({"b": "2", "a": "1"})
    assert Tags({"a": "1"}) != "a"
    assert repr(Tags({"a": "1"})) == "Tags({'a': '1'})"


def test_a_missing_one() -> None:
    with pytest.raises(KeyError, match="nothing"):
        Tags({"a": "1"})["nothing"]


def test_texts_are_kept_once() -> None:
    app = "".join(["gu", "id"])
    first = Tags({"app_id": "".join(["gui", "d"]), "component": "".join(["rou", "te"])}, {app: app})
    second = Tags({"app_id": "other", "component": "".join(["ro", "ute"])})
    assert first["app_id"] is app
    assert first["component"] is second["component"]
