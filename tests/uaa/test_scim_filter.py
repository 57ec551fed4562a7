import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.uaa.scim_filter import Both, Comparison, Either, FilterError, Negation, matches, parse, required

BOB = {
    "id": "guid-1",
    "userName": "Bob",
    "origin": "uaa",
    "active": True,
    "meta": {"version": 3, "created": "2026-01-31T12:00:00.000Z"},
    "emails": [{"value": "bob@test.org", "primary": True}, {"value": "b@test.org"}],
    "groups": [{"display": "openid"}, {"display": "scim.read"}],
    "externalId": "",
}


@pytest.mark.statement("UAA 4", "`GET /Users?filter=…`: SCIM's operators, and, or, not, parentheses, paths into lists")
@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('userName eq "bob" and origin eq "uaa"', True),
        ('username EQ "BOB" AND ORIGIN eq "uaa"', True),
        ('userName eq "bob" and origin eq "ldap"', False),
        ('userName ne "bob"', False),
        ('userName ne "eve"', True),
        ('userName co "o"', True),
        ('userName sw "bo"', True),
        ('userName sw "o"', False),
        ('userName ew "OB"', True),
        ("userName eq 'bob'", True),
        ("userName eq 'no one'", False),
        ('emails.value eq "b@test.org"', True),
        ('emails eq "b@test.org"', True),
        ('groups.display eq "scim.read" and not (active eq false)', True),
        ("active eq true", True),
        ('active eq "true"', False),
        ("meta.version gt 2 and meta.version le 3", True),
        ("meta.version ge 4 or meta.version lt 3", False),
        ('meta.created gt "2026-01-01T00:00:00.000Z"', True),
        ("id pr", True),
        ("externalId pr or nickName pr", False),
        ('origin eq "x" and id pr or id pr', True),
        ('origin eq "x" and (id pr or id pr)', False),
    ],
)
def test_matching(text: str, holds: bool) -> None:
    assert matches(parse(text), BOB) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "userName",
        "userName eq",
        "userName eq bob",
        'userName like "bob"',
        'userName eq "bob',
        'userName eq "bob" "eve"',
        'userName eq "bob" and',
        '(userName eq "bob"',
        'userName eq "bob")',
        "userName eq [1]",
        '1 eq "x"',
        'userName eq "\\x"',
        "(" * 1000 + "id pr" + ")" * 1000,
        "not " * 1000 + "id pr",
    ],
)
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)


def test_what_can_be_looked_up() -> None:
    assert required(parse('origin eq "uaa" and userName eq "Bob"'), "username") == "Bob"
    for text in ('userName eq "bob" or id pr', 'not (userName eq "bob")', 'userName co "b"', "userName eq 1"):
        assert required(parse(text), "userName") is None


values = st.one_of(st.text(max_size=8), st.booleans(), st.integers(-5, 5), st.none())
comparison = st.builds(
    Comparison,
    st.sampled_from(["userName", "origin", "meta.version", "emails.value", "active"]),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]),
    values,
)
present = st.builds(Comparison, st.sampled_from(["id", "nickName"]), st.just("pr"), st.none())
filters = st.recursive(
    comparison | present,
    lambda inner: (
        st.builds(Negation, inner)
        | st.builds(lambda a, b: Both((a, b)), inner, inner)
        | st.builds(lambda a, b: Either((a, b)), inner, inner)
    ),
    max_leaves=8,
)


def written(wanted: Any) -> str:
    match wanted:
        case Both((left, right)):
            return f"({written(left)}) and ({written(right)})"
        case Either((left, right)):
            return f"({written(left)}) or ({written(right)})"
        case Negation(term):
            return f"not ({written(term)})"
        case Comparison(attribute, "pr"):
            return f"{attribute} pr"
    return f"{wanted.attribute} {wanted.operator} {json.dumps(wanted.value)}"


@given(filters)
def test_what_is_written_is_read(wanted: Any) -> None:
    assert parse(written(wanted)) == wanted
    assert matches(parse(written(wanted)), BOB) is not matches(Negation(wanted), BOB)


@given(filters, st.dictionaries(st.sampled_from(["userName", "origin", "meta", "emails", "active", "id"]), values))
def test_every_thing_can_be_compared(wanted: Any, thing: dict[str, Any]) -> None:
    assert matches(wanted, thing) in (True, False)
    if (name := required(wanted, "userName")) is not None and matches(wanted, thing):
        assert str(thing["userName"]).lower() == name.lower()


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FilterError):
        matches(parse(text), BOB)
