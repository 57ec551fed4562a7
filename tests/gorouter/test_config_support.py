"""Settings without effect are told."""

from cfroute.gorouter.config import parse
from cfroute.gorouter.config_support import without_effect


def test_the_defaults_ask_for_nothing_that_is_not_there() -> None:
    assert without_effect(parse("")) == []
