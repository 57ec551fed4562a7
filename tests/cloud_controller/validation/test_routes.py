"""Each text of the reference's table of route errors, from the rules that say it."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.validation import routes
from cfroute.cloud_controller.validation.routes import Wanted

GOOD = {"space": {"data": {"guid": "s"}}, "domain": {"data": {"guid": "d"}}}
HOST = 'Host must be either "*" or contain only alphanumeric characters, "_", or "-"'


@pytest.mark.parametrize(
    ("fields", "messages"),
    [
        ({}, []),
        ({"host": "a_B-9", "path": "/x/y", "port": 0}, []),
        ({"host": "*"}, []),
        ({"host": "", "path": ""}, []),
        ({"host": None, "path": None, "port": None}, []),
        ({"host": "a.b"}, [HOST]),
        ({"host": "ä"}, [HOST]),
        ({"host": "a\n"}, [HOST]),
        ({"host": "**"}, [HOST]),
        ({"host": "a" * 64}, ["Host is too long (maximum is 63 characters)"]),
        ({"host": 7}, ["Host must be a string"]),
        ({"path": "x"}, ["Path must begin with /"]),
        ({"path": "/" + "a" * 128}, ["Path is too long (maximum is 128 characters)"]),
        ({"path": "/a?b"}, ["Path cannot contain ?"]),
        ({"path": "/"}, ["Path cannot be exactly /"]),
        ({"path": "a?"}, ["Path must begin with /", "Path cannot contain ?"]),
        ({"port": -1}, ["Port must be greater than or equal to 0"]),
        ({"port": 65536}, ["Port must be less than or equal to 65535"]),
        ({"port": "x"}, ["Port is not a number"]),
        ({"port": True}, ["Port is not a number"]),
        ({"port": 1.5}, ["Port must be an integer"]),
        ({"port": 1024.0}, ["Port must be an integer"]),
        ({"color": 1, "size": 2}, ["Unknown field(s): 'color', 'size'"]),
        ({"options": {"loadbalancing": "round-robin"}}, []),
        ({"options": {"loadbalancing": None}}, []),
        (
            {"options": {"loadbalancing": "x"}},
            ["Options Loadbalancing must be one of 'round-robin, least-connection' if present"],
        ),
        ({"options": {"x": 1}}, ["Options Unknown field(s): 'x'"]),
        ({"options": {"hash_header": "X"}}, ["Options Unknown field(s): 'hash_header'"]),
        ({"options": "x"}, ["Options 'options' is not a valid object"]),
        ({"metadata": {"labels": {"a b": "c"}}}, ["Metadata label key error: 'a b' contains invalid characters"]),
        ({"metadata": {"labels": {"a": 1}}}, ["Metadata 'labels' must be an object"]),
    ],
)
def test_body(fields: dict[str, Any], messages: list[str]) -> None:
    assert routes.body_problems({"relationships": GOOD, **fields}) == messages


SPACE = 'Relationships Space must be structured like this: "space: {"data": {"guid": "valid-guid"}}"'


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({}, ["Relationships can't be blank", "Relationships 'relationships' is not an object"]),
        ({"relationships": "x"}, ["Relationships 'relationships' is not an object"]),
        ({"relationships": {"domain": GOOD["domain"]}}, ["Relationships Space can't be blank", SPACE]),
        ({"relationships": {**GOOD, "space": {"guid": "s"}}}, [SPACE]),
        ({"relationships": {**GOOD, "x": 1}}, ["Relationships Unknown field(s): 'x'"]),
        (
            {"relationships": {**GOOD, "space": {"data": {"guid": ""}}}},
            ["Relationships Space guid must be between 1 and 200 characters"],
        ),
    ],
)
def test_relationships(body: dict[str, Any], messages: list[str]) -> None:
    assert routes.body_problems(body) == messages


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        ({"loadbalancing": "hash", "hash_header": "X-A"}, []),
        ({"loadbalancing": "hash", "hash_header": "X-A", "hash_balance": "1.5"}, []),
        ({"loadbalancing": "hash", "hash_header": "X-A", "hash_balance": 0}, []),
        ({"loadbalancing": "hash"}, ["Hash header must be present when loadbalancing is set to hash."]),
        (
            {"loadbalancing": "hash", "hash_header": "X-A", "hash_balance": 1.05},
            ["Options Hash balance must be either 0 or between 1.1 and 10.0"],
        ),
        (
            {"loadbalancing": "hash", "hash_header": "X-A", "hash_balance": "much"},
            ["Options Hash balance must be either 0 or between 1.1 and 10.0"],
        ),
        ({"hash_header": "X"}, ["Options Hash header can only be set when loadbalancing is hash"]),
        (
            {"loadbalancing": "x"},
            ["Options Loadbalancing must be one of 'round-robin, least-connection, hash' if present"],
        ),
        (
            {"loadbalancing": "hash", "hash_header": "X" * 4096},
            ["Route options size exceeded: options must be smaller than 4096 bytes."],
        ),
    ],
)
def test_options_when_hashing_is_switched_on(options: dict[str, Any], messages: list[str]) -> None:
    assert routes.options_problems({"options": options}, hashing=True) == messages


def wanted(**fields: Any) -> Wanted:
    return Wanted(**{"host": "h", "domain": "d.test", "organization": "o", **fields})


# In upstream's order. Each case also has everything wrong that later cases have, as far as they can occur together.
CASES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"path": "/p"}, None),
    ({"shared": False, "host": ""}, None),
    ({"tcp": True, "host": "", "port": 1024}, None),
    ({"shared": False, "host": "h", "other_space": True}, None),
    (
        {"tcp": True, "has_router_group": False, "free_port": False, "twin": True},
        "Route could not be created because the specified domain does not have a valid router group.",
    ),
    ({"tcp": True, "free_port": False, "usable": False}, "There are no more ports available for this domain."),
    (
        {"shared": False, "usable": False, "taken_domain": True},
        "Invalid domain. Domain 'd.test' is not available in organization 'o'.",
    ),
    ({"taken_domain": True, "system_host": True}, "Route conflicts with domain 'h.d.test'."),
    ({"system_host": True, "twin": True}, "Route conflicts with a reserved system route."),
    ({"internal": True, "host": "*", "path": "/p"}, "Wildcard hosts are not supported for internal domains."),
    ({"internal": True, "path": "/p", "twin": True}, "Paths are not supported for internal domains."),
    ({"host": "", "twin": True}, "Missing host. Routes in shared domains must have a host defined."),
    (
        {"host": "h" * 63, "domain": "d" * 190, "twin": True},
        "Host combined with domain name must be no more than 253 characters.",
    ),
    ({"twin": True, "port": 5}, "Route already exists with host 'h' and port '5' for domain 'd.test'."),
    ({"twin": True, "other_space": True}, "Route already exists with host 'h' for domain 'd.test'."),
    ({"twin": True, "shared": False, "host": ""}, "Route already exists for domain 'd.test'."),
    ({"twin": True, "path": "/p"}, "Route already exists with host 'h' and path '/p' for domain 'd.test'."),
    (
        {"twin": True, "shared": False, "host": "", "path": "/p"},
        "Route already exists with path '/p' for domain 'd.test'.",
    ),
    (
        {"twin": True, "tcp": True, "host": "", "port": 1024},
        "Route already exists with port '1024' for domain 'd.test'.",
    ),
    ({"tcp": True, "path": "/p"}, "Hosts are not supported for TCP routes."),
    ({"tcp": True, "host": "", "path": "/p"}, "Paths are not supported for TCP routes."),
    ({"tcp": True, "host": "", "reservable": False}, "Routes with protocol 'tcp' must specify a port."),
    (
        {"tcp": True, "host": "", "port": 5, "reservable": False},
        "Port '5' is not available. Try a different port or use a different domain.",
    ),
    (
        {"tcp": True, "host": "", "port": 1024, "port_taken": True},
        "Port '1024' is not available. Try a different port or use a different domain.",
    ),
    ({"port": 5, "other_space": True}, "Routes with protocol 'http' do not support ports."),
    ({"other_space": True, "path": "/p"}, "domain_id and host host_and_domain_taken_different_space"),
]


@pytest.mark.parametrize(("fields", "message"), CASES)
def test_the_first_rule_that_applies_is_told(fields: dict[str, Any], message: str | None) -> None:
    assert routes.first_problem(wanted(**fields)) == message


@given(st.text(max_size=70))
def test_hosts_are_words_or_the_star(host: str) -> None:
    word = host == "*" or all(c in string.ascii_letters + string.digits + "_-" for c in host)
    assert (routes.host_problems(host) == []) == (word and len(host) <= 63)


@given(st.text(alphabet=st.sampled_from("/?ab%ä "), max_size=140))
def test_paths(path: str) -> None:
    good = path == "" or (path.startswith("/") and "?" not in path and path != "/" and len(path) <= 128)
    assert (routes.path_problems(path) == []) == good


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_no_body_is_too_strange(value: Any) -> None:
    for key in ("host", "path", "port", "options", "relationships", "metadata"):
        assert isinstance(routes.body_problems({key: value}, hashing=True), list)
