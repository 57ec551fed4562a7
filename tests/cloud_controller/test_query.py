import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller import labels
from cfroute.cloud_controller.errors import ApiError
from cfroute.cloud_controller.labels import Requirement
from cfroute.cloud_controller.query import Query


def test_an_empty_value_is_a_value() -> None:
    query = Query("hosts=&paths=%2Fa")
    assert "hosts" in query
    assert query.values("hosts") == [""]
    assert query.values("paths") == ["/a"]
    assert "ports" not in query


def test_commas_inside_a_value_are_encoded_once_more() -> None:
    assert Query("names=a%252Cb,c%25").values("names") == ["a,b", "c%"]


def test_unknown_parameters_are_named_with_the_valid_ones() -> None:
    with pytest.raises(ApiError) as caught:
        Query("x=1&a=2&y=3").refuse_unknown(["a", "b"])
    assert caught.value.kind.code == 10005
    assert str(caught.value) == (
        "The query parameter is invalid: Unknown query parameter(s): 'x', 'y'. Valid parameters are: 'a', 'b'"
    )


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "5001", "9" * 5000, "٣"])
def test_page_sizes_are_bounded(text: str) -> None:
    with pytest.raises(ApiError):
        Query(f"per_page={text}").number("per_page", 50, "no", 5000)


@pytest.mark.parametrize(
    ("selector", "requirements"),
    [
        ("env=dev,!x,tier in (a,b)", [("env", "in", ("dev",)), ("x", "notin", ()), ("tier", "in", ("a", "b"))]),
        ("a", [("a", "in", ())]),
        ("a==b", [("a", "in", ("b",))]),
        ("a!=b,example.org/c notin (d)", [("a", "notin", ("b",)), ("example.org/c", "notin", ("d",))]),
        ("a=", [("a", "in", ("",))]),
    ],
)
def test_label_selectors(selector: str, requirements: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert labels.parse(selector) == requirements


@given(st.text(max_size=30))
def test_no_selector_is_too_strange(text: str) -> None:
    with contextlib.suppress(ApiError):
        assert all(isinstance(each, Requirement) for each in labels.parse(text))
