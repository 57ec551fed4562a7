"""Sticky sessions: which cookies count, and what is set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.sticky import Attributes, StickySessions, cookies, decoded, encoded, sets_vcap_id, sticky_id, vcap_cookie
from cfroute.proxy.headers import Headers

NAMES = {"JSESSIONID"}
NOW = 1_700_000_000.5


def request(*lines: bytes, **others: bytes) -> Headers:
    headers = Headers({b"Cookie": tuple(lines)} if lines else {})
    headers.update({name.encode().title(): (value,) for name, value in others.items()})
    return headers


def response(*lines: bytes, negotiate: bytes = b"") -> Headers:
    headers = Headers({b"Set-Cookie": tuple(lines)} if lines else {})
    if negotiate:
        headers[b"Www-Authenticate"] = (negotiate,)
    return headers


def sessions(config: str = "") -> StickySessions:
    return StickySessions(parse(config), lambda: NOW)


def added(answer: Headers, sticky: str = "", asked: Headers | None = None, config: str = "", path: str = "/") -> list[str]:
    """The cookies that are set on top of the response's own."""
    before = len(answer.get(b"Set-Cookie", ()))
    sessions(config).stick(sticky, "i", path, asked or Headers(), answer)
    return [line.decode() for line in answer.get(b"Set-Cookie", ())[before:]]


@pytest.mark.statement("F", "request cookies: quotes taken off, odd values dropped, the first of a name wins")
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
        (b"JSESSIONID=a; __VCAP_ID__=a,b", "a,b"),
        (b"JSESSIONID=a; __VCAP_ID__=\xff", ""),
        (b"JSESSIONID=a; bad name=1; __VCAP_ID__=one", "one"),
    ],
)
def test_sticky_id(line, expected):
    assert sticky_id(cookies(request(line)), NAMES) == expected


def test_cookies_may_come_in_several_lines():
    assert sticky_id(cookies(request(b"JSESSIONID=a", b"__VCAP_ID__=one")), NAMES) == "one"
    assert cookies(Headers()) == {}


@pytest.mark.statement("F", "Set-Cookie: attributes in any case, Max-Age of digits, Expires in two forms, three SameSites")
@pytest.mark.parametrize(
    ("line", "cookie"),
    [
        (b"JSESSIONID=x", "__VCAP_ID__=i; Path=/; HttpOnly"),
        (b"JSESSIONID=x; secure; samesite=lax", "__VCAP_ID__=i; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (b"JSESSIONID=x; SameSite=odd", "__VCAP_ID__=i; Path=/; HttpOnly"),
        (b"JSESSIONID=x; Max-Age=60", "__VCAP_ID__=i; Path=/; HttpOnly"),
        (b"JSESSIONID=; Max-Age=0", "__VCAP_ID__=i; Path=/; Max-Age=0; HttpOnly"),
        (b"JSESSIONID=; Max-Age=-5", "__VCAP_ID__=i; Path=/; Max-Age=0; HttpOnly"),
        (b"JSESSIONID=; Max-Age=soon", "__VCAP_ID__=i; Path=/; HttpOnly"),
        (
            b"JSESSIONID=x; Expires=Wed, 21-Oct-2026 07:28:00 GMT; Partitioned; Secure",
            "__VCAP_ID__=i; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; Secure; Partitioned",
        ),
        (b"JSESSIONID=x; Expires=tomorrow", "__VCAP_ID__=i; Path=/; HttpOnly"),
        (b"JSESSIONID=x; Expires=Wed, 21 Oct 1600 07:28:00 GMT", "__VCAP_ID__=i; Path=/; HttpOnly"),
    ],
)
def test_attributes_are_copied(line, cookie):
    assert added(response(b"other=1; Secure", line)) == [cookie]


def test_the_first_session_cookie_decides():
    assert added(response(b"JSESSIONID=1; Secure", b"JSESSIONID=2")) == ["__VCAP_ID__=i; Path=/; HttpOnly; Secure"]


def test_other_cookies_do_not_count():
    assert added(response(b"a=1", b"xJSESSIONID=1")) == []
    assert added(Headers()) == []


def test_a_session_that_has_to_move():
    assert added(Headers(), sticky="gone", path="/Ctx") == ["__VCAP_ID__=i; Path=/Ctx; HttpOnly"]
    assert added(Headers(), sticky="i") == []


def test_an_app_that_sets_the_cookie_itself():
    assert sets_vcap_id(response(b"JSESSIONID=1", b"__VCAP_ID__=mine"))
    assert not sets_vcap_id(response(b"JSESSIONID=1"))
    assert added(response(b"JSESSIONID=1", b"__VCAP_ID__=mine"), sticky="gone") == []


def test_secure_cookies_setting():
    assert vcap_cookie("i", "/Ctx", Attributes(), secure=True) == b"__VCAP_ID__=i; Path=/Ctx; HttpOnly; Secure"


def test_what_may_not_stand_in_a_cookie_does_not_get_there():
    cookie = vcap_cookie('a\r\n;"b c', "/x;y\n", Attributes(), secure=False)
    assert cookie == b'__VCAP_ID__="ab c"; Path=/xy; HttpOnly'


# Negotiate

NEGOTIATE = "sticky_sessions_for_auth_negotiate: true"


@pytest.mark.parametrize("scheme", [b"Negotiate", b"negotiate abc=", b"NEGOTIATE"])
def test_a_negotiation_is_tied_for_a_minute(scheme):
    assert added(response(negotiate=scheme), config=NEGOTIATE) == ["__VCAP_ID__=i; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"]
    assert added(response(negotiate=scheme), sticky="gone", config=NEGOTIATE) != []
    assert added(response(negotiate=scheme), sticky="i", config=NEGOTIATE) == []
    assert added(response(negotiate=scheme)) == []


def test_other_schemes_and_later_lines_do_not_negotiate():
    assert added(response(negotiate=b"Basic"), config=NEGOTIATE) == []
    second = Headers({b"Www-Authenticate": (b"Basic", b"Negotiate")})
    assert added(second, config=NEGOTIATE) == []


def test_a_negotiation_must_stay_where_it_is():
    asked = request(b"__VCAP_ID__=one", authorization=b"neGotiate abc")
    assert sessions(NEGOTIATE).wish(asked) == ("one", True)
    assert sessions().wish(asked) == ("", False)
    assert sessions(NEGOTIATE).wish(request(b"JSESSIONID=1; __VCAP_ID__=one", authorization=b"Basic x")) == ("one", False)
    assert sessions(NEGOTIATE).wish(request(b"JSESSIONID=1", authorization=b"Negotiate x")) == ("", False)


# __VCAP_ID_META__

META = "cfroute: {vcap_id_meta: true}"


def test_a_second_cookie_keeps_the_attributes():
    set_by_app = b"JSESSIONID=x; Max-Age=60; Secure; SameSite=None; Partitioned; Expires=Tue, 14 Nov 2023 22:13:20 GMT"
    tail = "; Path=/; Expires=Tue, 14 Nov 2023 22:13:20 GMT; Max-Age=60; HttpOnly; Secure; SameSite=None; Partitioned"
    assert added(response(set_by_app), config=META) == [
        f"__VCAP_ID__=i{tail}",
        f"__VCAP_ID_META__=secure&partitioned&expires=1700000000&maxage=1700000060&samesite=none{tail}",
    ]


def test_every_session_cookie_has_a_pair_of_its_own():
    cookies_set = added(response(b"__Host-JSESSIONID=x; Partitioned", b"JSESSIONID=; Max-Age=0"), config=META)
    assert cookies_set == [
        "__VCAP_ID__=i; Path=/; HttpOnly; Partitioned",
        "__VCAP_ID_META__=partitioned; Path=/; HttpOnly; Partitioned",
        "__VCAP_ID__=i; Path=/; Max-Age=0; HttpOnly",
        "__VCAP_ID_META__=maxage=-1; Path=/; Max-Age=0; HttpOnly",
    ]


def test_a_session_that_moves_keeps_its_attributes():
    kept = request(b"JSESSIONID=x; __VCAP_ID__=gone; __VCAP_ID_META__=secure&maxage=1700000030&samesite=lax")
    assert sessions(META).wish(kept) == ("gone", False)
    assert added(Headers(), "gone", kept, META) == ["__VCAP_ID__=i; Path=/; Max-Age=30; HttpOnly; Secure; SameSite=Lax"]
    over = request(b"__VCAP_ID_META__=maxage=1699999999")
    assert added(Headers(), "gone", over, META) == ["__VCAP_ID__=i; Path=/; Max-Age=0; HttpOnly"]
    assert added(Headers(), "gone", Headers(), META) == ["__VCAP_ID__=i; Path=/; HttpOnly"]


def test_the_prefix_of_host_cookies_counts_only_with_meta():
    asked = request(b"__Host-JSESSIONID=x; __VCAP_ID__=one")
    assert sessions(META).wish(asked) == ("one", False)
    assert sessions().wish(asked) == ("", False)


@given(
    st.builds(
        Attributes,
        expires=st.sampled_from(["", "Tue, 14 Nov 2023 22:13:20 GMT"]),
        max_age=st.none() | st.integers(1, 10**9),
        secure=st.booleans(),
        same_site=st.sampled_from(["", "Lax", "Strict", "None"]),
        partitioned=st.booleans(),
    )
)
def test_what_is_kept_comes_back(attributes):
    assert decoded(encoded(attributes, NOW), NOW) == attributes


@given(st.text())
def test_no_value_of_the_meta_cookie_is_too_odd(value):
    decoded(value, NOW)


def test_numbers_that_are_no_numbers():
    """Python refuses to read more than some thousand digits."""
    many = "9" * 5000
    [cookie] = added(response(f"JSESSIONID=x; Max-Age={many}".encode()))
    assert "Max-Age" not in cookie
    assert decoded(f"maxage={many}&expires={many}&secure", 0.0) == Attributes(secure=True)
