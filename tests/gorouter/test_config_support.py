"""Settings without effect are told."""

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.config_support import without_effect


def test_the_defaults_ask_for_nothing_that_is_not_there() -> None:
    assert without_effect(parse("")) == []


def test_what_is_asked_for_in_vain() -> None:
    same = "endpoint_timeout: 7s\nhttp_1_endpoint_timeout: 7s\n"
    assert without_effect(parse(same)) == []
    assert without_effect(parse(same + "http_2_endpoint_timeout: 9s")) == ["http_2_endpoint_timeout"]
