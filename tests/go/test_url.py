"""Request URIs as Go takes them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go.url import URL, URLError, parse_request_uri


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://rsapp.test/foo/bar?x=1&y=%20z", URL("https", "rsapp.test", "/foo/bar")),
        ("HTTP://RsApp.TEST:8080", URL("http", "RsApp.TEST:8080", "")),
        ("https://u:p@h.test/a%2Fb/../c?<q>=%E9#f", URL("https", "h.test", "/a%2Fb/../c")),
        ('https://h.test/a"b c', URL("https", "h.test", "/a%22b%20c")),
        ("/path/é", URL("", "", "/path/%C3%A9")),
        ("mailto:x", URL("mailto", "", "")),
        ("*", URL("", "", "*")),
        ("//h.test/x", URL("", "", "//h.test/x")),
        ("https://[::1]:80/", URL("https", "[::1]:80", "/")),
    ],
)
def test_parts(text: str, url: URL) -> None:
    assert parse_request_uri(text) == url


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'parse "": empty url'),
        ("rsapp.test/foo", 'parse "rsapp.test/foo": invalid URI for request'),
        (":x", 'parse ":x": missing protocol scheme'),
        ("https://h/a\n", 'parse "https://h/a\\n": net/url: invalid control character in URL'),
        ("https://h/%zz", 'parse "https://h/%zz": invalid URL escape "%zz"'),
        ("https://h/%2", 'parse "https://h/%2": invalid URL escape "%2"'),
        ("https://h:x/", 'parse "https://h:x/": invalid port ":x" after host'),
        ("https://a b/", 'parse "https://a b/": invalid character " " in host name'),
        ("https://[::1/", "parse \"https://[::1/\": missing ']' in host"),
    ],
)
def test_refusals_in_go_s_words(text: str, message: str) -> None:
    with pytest.raises(URLError) as refused:
        parse_request_uri(text)
    assert str(refused.value) == message


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        shown = parse_request_uri(text).path
    except URLError as error:
        shown = str(error)[:7]
    assert shown.isascii()
