"""Request targets by the rules of Go's net/url."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.proxy.target import Target, double_slash_form, encode_query, escaped, parse

PARSED = {
    b"/": Target(b"", b"/", None),
    b"/a%20b?x=1": Target(b"", b"/a%20b", b"x=1"),
    b"/?": Target(b"", b"/", b""),
    b"/a?b?c": Target(b"", b"/a", b"b?c"),
    b"/a#b?c": Target(b"", b"/a#b", b"c"),
    b"/a?%zz": Target(b"", b"/a", b"%zz"),
    b"//a//b": Target(b"", b"//a//b", None),
    b"///": Target(b"", b"///", None),
    b"/\xe4": Target(b"", b"/\xe4", None),
    b"*": Target(b"", b"*", None),
    b"http://a.test": Target(b"a.test", b"", None),
    b"http://a.test?q": Target(b"a.test", b"", b"q"),
    b"HTTP+x://a.test:80/p?q": Target(b"a.test:80", b"/p", b"q"),
    b"http://a.test:/": Target(b"a.test:", b"/", None),
    b"http://user:pass@a.test/": Target(b"a.test", b"/", None),
    b"http:///p": Target(b"", b"/p", None),
    b"http://[::1]/": Target(b"[::1]", b"/", None),
    b"http://%C3%A4/": Target(b"%C3%A4", b"/", None),
    b"http:/p": Target(b"", b"/p", None),
    b"mailto:x?y": Target(b"", b"", b"y"),
}
REFUSED = (
    b"", b"a", b"a/b", b"?", b"**", b":", b"1http://a/", b"://a", b"/a b", b"/a\tb", b"/\x7f", b"/\x00", b"/%", b"/%1", b"/%zz",
    b"http://a%zz/", b"http://%41/", b"http://a b/", b"http://a^/", b"http://a:b/", b"http://a:1:2/", b"http://::1/",
    b"http://[::1/", b"http://[::1]x/", b"http://[::1]:x/", b"http://a/%zz", b"http:/%zz", b"http://a\\b/",
)  # fmt: skip


@pytest.mark.parametrize("raw", PARSED)
def test_targets(raw: bytes) -> None:
    assert parse(raw) == PARSED[raw]


@pytest.mark.parametrize("raw", REFUSED)
def test_refused_targets(raw: bytes) -> None:
    assert parse(raw) is None


def test_connect_names_an_authority() -> None:
    assert parse(b"a.test:443", b"CONNECT") == Target(b"a.test:443", b"", None)
    assert parse(b"/p", b"CONNECT") == Target(b"", b"/p", None)
    assert parse(b"a/b", b"CONNECT") is None
    assert parse(b"a.test:443") == Target(b"", b"", None)  # to others, a URL with the scheme a.test


ESCAPED = {
    b"/a/b": b"/a/b",
    b'/a"b': b"/a%22b",
    b"/a%2fb": b"/a%2fb",
    b"/%41": b"/%41",
    b"/!$&'()*+,;=:@[]~-._": b"/!$&'()*+,;=:@[]~-._",
    b"/%41{": b"/A%7B",
    b"/\xe4": b"/%E4",
    b"/'|": b"/%27%7C",
    b"/a%2fb|": b"/a/b%7C",
    b"/$&+,/:;=@|": b"/$&+,/:;=@%7C",
    b"/[|": b"/%5B%7C",
    b"*": b"*",
    b"": b"",
}


@pytest.mark.statement("F", "EscapedPath: the raw path where its characters are legal, else the decoded one encoded anew")
@pytest.mark.parametrize("path", ESCAPED)
def test_escaped_path(path: bytes) -> None:
    assert escaped(path) == ESCAPED[path]


@given(st.binary(max_size=20).map(lambda rest: b"/" + rest))
def test_an_escaped_path_stays_as_it_is(path: bytes) -> None:
    if parse(path) is not None:
        once = escaped(path.partition(b"?")[0])
        assert once.isascii()
        assert escaped(once) == once


DOUBLE_SLASH = {
    b"//a//b?z=1&a=2": b"http://h.test//a//b?a=2&z=1",
    b"//a": b"http://h.test//a",
    b"//": b"http://h.test//",
    b"//a?": b"http://h.test//a?",
    b"//a?%zz": b"http://h.test//a?%zz",
    b"//a%20b/c'd;e,f": b"http://h.test//a%20b/c%27d%3Be%2Cf",
    b"//%24&+=:@~-._": b"http://h.test//$&+=:@~-._",
    b"//a%2Fb": b"http://h.test//a%2Fb",
    b"//\xe4": b"http://h.test//%E4",
}


@pytest.mark.statement("F", "segments of //-targets: unreserved and $&+=:@ stay, everything else is escaped in upper case")
@pytest.mark.parametrize("raw", DOUBLE_SLASH)
def test_double_slash_form(raw: bytes) -> None:
    target = parse(raw)
    assert target is not None
    assert double_slash_form(b"h.test", target, b"http") == DOUBLE_SLASH[raw]


QUERIES = {
    b"b=2&a=1": b"a=1&b=2",
    b"a=2&b=&a=1": b"a=2&a=1&b=",
    b"a": b"a=",
    b"=x": b"=x",
    b"a=b=c": b"a=b%3Dc",
    b"a=1;b=2&c=3": b"c=3",
    b"a=%zz&b=%20+": b"b=++",
    b"&&a=1&": b"a=1",
    b"a=-_.~*'()": b"a=-_.~%2A%27%28%29",
    b"\xe4=/": b"%E4=%2F",
    b"": b"",
}


@pytest.mark.statement("F", "queries of //-targets: broken pairs dropped, sorted by key, space as +")
@pytest.mark.parametrize("query", QUERIES)
def test_queries_are_sorted_and_encoded_anew(query: bytes) -> None:
    assert encode_query(query) == QUERIES[query]
