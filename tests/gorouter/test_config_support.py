"""Settings without effect are told."""

from cfroute.gorouter.config import parse
from cfroute.gorouter.config_support import without_effect


def test_the_defaults_ask_for_nothing_that_is_not_there() -> None:
    assert without_effect(parse("")) == []


def test_what_is_asked_for_in_vain() -> None:
    config = parse("enable_http1_concurrent_read_write: true")
    assert without_effect(config) == ["enable_http1_concurrent_read_write"]
