"""Each text of the reference's list of domain errors."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.validation import domains
from cfroute.cloud_controller.validation.domains import Neighbour

RFC = "Name does not comply with RFC 1035 standards"
DOT = 'Name must contain at least one "."'
LETTERS = "Name must consist of alphanumeric characters and hyphens"
ORGANIZATION = {"organization": {"data": {"guid": "o"}}}


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("a.b", []),
        ("A-1.Example.com", []),
        ("bad_name", [RFC, DOT, LETTERS]),
        ("nodot", [RFC, DOT]),
        ("a.", ["Name is too short (minimum is 3 characters)", RFC]),
        ("a b.c", [RFC, LETTERS]),
        ("-a.b", [RFC]),
        ("a..b", [RFC]),
        ("a.b\n", [RFC, LETTERS]),
        ("a" * 64 + ".com", [RFC, "Name subdomains must each be at most 63 characters"]),
        (".".join(["a" * 60] * 5), ["Name is too long (maximum is 253 characters)"]),
        (7, ["Name must be a string", "Name is too short (minimum is 3 characters)", RFC, DOT]),
    ],
)
def test_names(name: object, messages: list[str]) -> None:
    assert domains.body_problems({"name": name}) == messages


def test_no_name() -> None:
    assert "Name can't be blank" in domains.body_problems({})


@pytest.mark.parametrize(
    ("fields", "messages"),
    [
        ({"internal": True}, []),
        ({"internal": None}, []),
        ({"internal": "yes"}, ["Internal must be a boolean"]),
        ({"relationships": ORGANIZATION}, []),
        (
            {"internal": True, "relationships": ORGANIZATION},
            ["Cannot associate an internal domain with an organization"],
        ),
        (
            {"internal": True, "router_group": {"guid": "g"}},
            ["Internal domains cannot be associated to a router group."],
        ),
        (
            {"relationships": ORGANIZATION, "router_group": {"guid": "g"}},
            ["Domains scoped to an organization cannot be associated to a router group."],
        ),
        ({"router_group": "g"}, ["Router group must be an object"]),
        ({"router_group": {}}, ["Router group guid must be a string"]),
        ({"x": 1}, ["Unknown field(s): 'x'"]),
        ({"relationships": []}, ["Relationships 'relationships' is not an object"]),
        (
            {"relationships": {"shared_organizations": {"data": []}}},
            ["Relationships cannot contain shared_organizations without an owning organization."],
        ),
        (
            {"relationships": {"organization": {"data": "o"}}},
            ['Relationships Organization must be structured like this: "organization: {"data": {"guid": "valid-guid"}}"'],
        ),
    ],
)
def test_other_fields(fields: dict[str, Any], messages: list[str]) -> None:
    assert domains.body_problems({"name": "a.b", **fields}) == messages


SHARED, MINE, OTHERS = None, "mine", "others"


@pytest.mark.parametrize(
    ("name", "owner", "neighbours", "route", "message"),
    [
        ("a.b", MINE, [], False, None),
        ("a.b", MINE, [Neighbour("b", SHARED)], False, None),
        ("a.b", MINE, [Neighbour("b", MINE)], False, None),
        ("b.c", SHARED, [Neighbour("a.b.c", OTHERS)], False, None),
        ("A.b", SHARED, [Neighbour("a.B", SHARED)], False, 'The domain name "a.b" is already in use'),
        (
            "a.b",
            MINE,
            [Neighbour("b", OTHERS)],
            True,
            'The domain name "a.b" cannot be created because "b" is already reserved by another domain',
        ),
        (
            "x.a.b",
            SHARED,
            [Neighbour("a.b", OTHERS)],
            False,
            'The domain name "x.a.b" cannot be created because "a.b" is already reserved by another domain',
        ),
        (
            "b.c",
            MINE,
            [Neighbour("a.b.c", OTHERS)],
            False,
            'The domain name "b.c" cannot be created because "a.b.c" is already reserved by another domain',
        ),
        (
            "h.d",
            MINE,
            [Neighbour("d", SHARED)],
            True,
            'The domain name "h.d" cannot be created because "h.d" is already reserved by a route',
        ),
    ],
)
def test_conflicts(name: str, owner: str | None, neighbours: list[Neighbour], route: bool, message: str | None) -> None:
    assert domains.conflict(name, owner, neighbours, route) == message


LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)


@given(st.lists(LABEL, min_size=2, max_size=6))
def test_good_names_are_good(labels: list[str]) -> None:
    name = ".".join(labels)
    assert domains.name_problems(name) == (["Name is too short (minimum is 3 characters)"] if len(name) < 3 else [])
    assert domains.parents(name)[-1] == labels[-1]


@given(st.text(max_size=300))
def test_what_is_accepted_is_a_domain(name: str) -> None:
    if domains.name_problems(name) == []:
        assert re.fullmatch(r"[A-Za-z0-9.-]{3,253}", name)
        assert all(1 <= len(label) <= 63 and label.strip("-") == label for label in name.split("."))
