"""The keys of routes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.routing_table import route_key


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("A.Test/Foo/", "a.test/foo"),
        ("a.test", "a.test"),
        ("a.test/", "a.test"),
        ("/a.test/x", "a.test/x"),
        ("a.test//", "a.test/"),
        ("a//b", "a//b"),
        ("a/b?x=/1/", "a/b"),
        ("a.test.:80/%20", "a.test.:80/%20"),
        ("", ""),
    ],
)
def test_key(uri: str, key: str) -> None:
    assert route_key.key(uri) == key


def test_the_request_key_leaves_the_port_out() -> None:
    assert route_key.request_key("A.test:99", "/Foo/bar/") == "a.test/foo/bar"
    assert route_key.request_key("[::1]:80", "/") == "["


@pytest.mark.parametrize(
    ("uri", "host", "path"),
    [
        ("Shop.Test/Cart/Items/?q=1", "Shop.Test", "/Cart/Items"),
        ("Shop.Test", "Shop.Test", "/"),
        ("Shop.Test/", "Shop.Test", "/"),
        ("/Shop.Test/a", "Shop.Test", "/a"),
    ],
)
def test_split_host_keeps_the_case(uri: str, host: str, path: str) -> None:
    assert route_key.split_host(uri) == (host, path)


def test_wildcards_step_over_the_dots_of_host_and_path() -> None:
    steps = ["a.w.test/p/x.html"]
    while (following := route_key.next_wildcard(steps[-1])) is not None:
        steps.append(following)
    assert steps[1:] == ["*.w.test/p/x.html", "*.test/p/x.html", "*.html"]


@given(st.text(alphabet="aB./?*:%"))
def test_a_key_has_neither_query_nor_capitals(uri: str) -> None:
    key = route_key.key(uri)
    assert "?" not in key
    assert key == key.lower()
