"""What cf has and cfroute has not is told with the reason."""

import pytest

from cfroute.cli import unsupported
from cfroute.cli.catalog import ALIASES, DAEMONS, ENTRIES

from .conftest import Run


@pytest.mark.parametrize("name", unsupported.COMMANDS)
def test_a_command_of_cf_is_refused_with_one_line_and_a_tip(name: str, cfroute: Run) -> None:
    refused = cfroute(name, "web", "--whatever")
    message, empty, tip = refused.err.splitlines()
    assert message == f"'{name}' is not supported by cfroute: {unsupported.COMMANDS[name].why}"
    assert (empty, tip) == ("", f"TIP: {unsupported.COMMANDS[name].instead}")
    assert (refused.status, refused.out) == (1, "FAILED\n")
    assert cfroute("help", name).err == refused.err


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("push web --docker-image cloudfoundry/web", "--docker-image"),
        ("push web -o cloudfoundry/web", "--docker-image"),
        ("push web --docker-username me", "--docker-username"),
        ("push web --task", "--task"),
        ("push web -l 16K", "--log-rate-limit"),
        ("push web --lifecycle cnb", "--lifecycle cnb"),
        ("push web --lifecycle docker", "--lifecycle docker"),
        ("create-app web --app-type docker", "--app-type docker"),
        ("create-package web -o cloudfoundry/web", "--docker-image"),
        ("set-label stack cflinuxfs4 a=b", "labelling a stack"),
    ],
)
def test_an_option_of_cf_is_refused_with_one_line_and_a_tip(line: str, name: str, cfroute: Run) -> None:
    refused = cfroute(*line.split(), "--json")
    assert refused.status == 1
    assert refused.error["type"] == "NotSupported"
    assert refused.error["message"].startswith(f"'{name}' is not supported by cfroute: ")
    assert refused.error["hint"]


def test_the_only_lifecycle_may_be_named(cfroute: Run) -> None:
    assert cfroute("create-app", "web", "--app-type", "buildpack").status == 0


def test_what_is_refused_is_not_there() -> None:
    assert not unsupported.COMMANDS.keys() & {*ENTRIES, *ALIASES, *DAEMONS}
    names = [name for reason in unsupported.COMMANDS.values() for name in (reason.why, reason.instead)]
    assert all(text and not text.endswith(".") for text in names)


def test_the_topic_tells_all_of_it(cfroute: Run) -> None:
    told = cfroute("docs", "apps").out
    for reason in {*unsupported.COMMANDS.values(), *unsupported.OPTIONS.values()}:
        names = [f"`{name}`" for name, why in (*unsupported.COMMANDS.items(), *unsupported.OPTIONS.items()) if why == reason]
        assert f"| {', '.join(names)} | {reason.why} | {reason.instead} |" in told
