"""URL references, and whether Go writes them as it reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go import url as urls


@pytest.mark.parametrize(
    "text",
    [
        "", "a.test", "*.x.com", "a.test/path", "UPPER.test/Path", "a.test/%20x", "a.test/a%2Fb", "https://a.test:80/p",
        "//host/p", "a.test/x:y", "mailto:x", "https://[::1]:80/", "/only/path", "a.test/~!$&'()*+,;=:@",
    ],
)  # fmt: skip
def test_what_go_writes_as_it_reads_it(text: str) -> None:
    assert urls.is_kept(text)


@pytest.mark.parametrize(
    "text", ["a b.test", 'a.test/"', "a.test/é", "HTTPS://a.test", "https://bücher.test", "a.test/<x>", "a|b"]
)
def test_what_go_writes_otherwise(text: str) -> None:
    assert not urls.is_kept(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (":foo", 'parse ":foo": missing protocol scheme'),
        ("1.2.3.4:80/x", 'parse "1.2.3.4:80/x": first path segment in URL cannot contain colon'),
        ("a\x01", 'parse "a\\x01": net/url: invalid control character in URL'),
        ("a.test/%zz", 'parse "a.test/%zz": invalid URL escape "%zz"'),
        ("a.test/%2", 'parse "a.test/%2": invalid URL escape "%2"'),
        ("https://a:b/", 'parse "https://a:b/": invalid port ":b" after host'),
        ("https://[::1/", "parse \"https://[::1/\": missing ']' in host"),
        ("https://a b/", 'parse "https://a b/": invalid character " " in host name'),
    ],
)
def test_what_is_no_url(text: str, error: str) -> None:
    with pytest.raises(urls.URLError) as refused:
        urls.is_kept(text)
    assert str(refused.value) == error


@given(st.text())
def test_every_text_is_one_or_the_other(text: str) -> None:
    problem = 'parse "'
    try:
        urls.is_kept(text)
    except urls.URLError as error:
        problem = str(error)
    assert problem.startswith('parse "')
