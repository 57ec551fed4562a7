"""Sticky sessions: which cookies count, and what is set."""

import pytest

from cfroute.gorouter.sticky import Attributes, cookies, session_cookie, sets_vcap_id, sticky_id, vcap_cookie
from cfroute.proxy.headers import Headers

NAMES = {"JSESSIONID"}


def request(*lines: bytes) -> Headers:
    return Headers({b"Cookie": list(lines)})


def response(*lines: bytes) -> Headers:
    return Headers({b"Set-Cookie": list(lines)})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"JSESSIONID=a; __VCAP_ID__=one", "one"),
        (b"__VCAP_ID__=one", ""),
        (b"JSESSIONID=a", ""),
        (b"jsessionid=a; __VCAP_ID__=one", ""),
        (b'JSESSIONID=a; __VCAP_ID__="quoted"', "quoted"),
        (b"JSESSIONID=a; __VCAP_ID__=first; __VCAP_ID__=second", "first"),
        (b"JSESSIONID=a; __VCAP_ID__=b\\d", ""),
        (b"JSESSIONID=a; __VCAP_ID__=two words", "two words"),
        (b"JSESSIONID=a; bad name=1; __VCAP_ID__=one", "one"),
    ],
)
def test_sticky_id(line, expected):
    assert sticky_id(request(line), NAMES) == expected


def test_cookies_may_come_in_several_lines():
    assert sticky_id(request(b"JSESSIONID=a", b"__VCAP_ID__=one"), NAMES) == "one"
    assert cookies(Headers()) == {}


@pytest.mark.parametrize(
    ("line", "cookie"),
    [
        (b"JSESSIONID=x", b"__VCAP_ID__=i; Path=/; HttpOnly"),
        (b"JSESSIONID=x; secure; samesite=lax", b"__VCAP_ID__=i; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (b"JSESSIONID=x; SameSite=odd", b"__VCAP_ID__=i; Path=/; HttpOnly"),
        (b"JSESSIONID=x; Max-Age=60", b"__VCAP_ID__=i; Path=/; HttpOnly"),
        (b"JSESSIONID=; Max-Age=0", b"__VCAP_ID__=i; Path=/; Max-Age=0; HttpOnly"),
        (b"JSESSIONID=; Max-Age=-5", b"__VCAP_ID__=i; Path=/; Max-Age=0; HttpOnly"),
        (
            b"JSESSIONID=x; Expires=Wed, 21-Oct-2026 07:28:00 GMT; Partitioned; Secure",
            b"__VCAP_ID__=i; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; Secure; Partitioned",
        ),
        (b"JSESSIONID=x; Expires=tomorrow", b"__VCAP_ID__=i; Path=/; HttpOnly"),
    ],
)
def test_attributes_are_copied(line, cookie):
    attributes = session_cookie(response(b"other=1; Secure", line), NAMES)
    assert attributes is not None
    assert vcap_cookie("i", "/", attributes, secure=False) == cookie


def test_other_cookies_do_not_count():
    assert session_cookie(response(b"a=1", b"xJSESSIONID=1"), NAMES) is None
    assert session_cookie(Headers(), NAMES) is None


def test_an_app_that_sets_the_cookie_itself():
    assert sets_vcap_id(response(b"JSESSIONID=1", b"__VCAP_ID__=mine"))
    assert not sets_vcap_id(response(b"JSESSIONID=1"))


def test_secure_cookies_setting():
    assert vcap_cookie("i", "/Ctx", Attributes(), secure=True) == b"__VCAP_ID__=i; Path=/Ctx; HttpOnly; Secure"
