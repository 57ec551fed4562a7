"""Which component a person means."""

import pytest

from cfroute.errors import NotFound
from cfroute.foundation.names import match

KNOWN = ["load_balancer", "gorouter/0", "nats", "cell/0", "cell/1", "cloud_controller"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nats", "nats"),
        ("gorouter/0", "gorouter/0"),
        ("gorouter", "gorouter/0"),
        ("gorouter-0", "gorouter/0"),
        ("load-balancer", "load_balancer"),
        ("Cloud-Controller", "cloud_controller"),
        ("cell/1", "cell/1"),
    ],
)
def test_names_as_people_write_them(name: str, meant: str) -> None:
    assert match(name, KNOWN) == meant


@pytest.mark.parametrize(
    ("name", "hint"), [("gorooter/0", "did you mean gorouter/0?"), ("cell", "cell/0, cell/1"), ("x", "components: load_")]
)
def test_unknown_and_ambiguous_names(name: str, hint: str) -> None:
    with pytest.raises(NotFound) as caught:
        match(name, KNOWN)
    assert hint in caught.value.hint
