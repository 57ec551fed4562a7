"""What holds for every command."""

import json
import os
import re
import subprocess
import sys

import click
import pytest

from cfroute.cli import catalog
from cfroute.cli.catalog import ALIASES, COMMON, DAEMONS, ENTRIES, Entry
from cfroute.cli.command import Command
from cfroute.cli.finding import load
from cfroute.cli.main import main
from cfroute.cli.more.docs import topics
from cfroute.cli.shared_options import shared_options
from cfroute.home import Home

from .conftest import Run

every_command = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


def command(entry: Entry) -> Command:
    loaded = load(entry.name)
    assert isinstance(loaded, Command)
    return loaded


@every_command
def test_what_is_missing_is_told_in_the_words_of_cf(entry: Entry, cfroute: Run) -> None:
    required = [p for p in command(entry).params if isinstance(p, click.Argument) and p.required]
    if not required:
        return
    names = [f"`{parameter.metavar or str(parameter.name).upper()}`" for parameter in required]
    *others, last = names
    text = f"{', '.join(others)} and {last} were" if others else f"{last} was"
    wrong = cfroute(entry.name)
    assert wrong.err == f"Incorrect Usage: the required argument{'s' * bool(others)} {text} not provided\n\n"


def test_a_word_too_many_is_said_to_have_failed_before_the_help(cfroute: Run) -> None:
    wrong = cfroute("spaces", "acme")
    assert (wrong.status, wrong.err) == (1, 'Incorrect Usage: unexpected argument "acme"\n')
    assert wrong.out.startswith("FAILED\n\nNAME:\n   spaces - ")


def test_with_json_nothing_but_json_is_written(cfroute: Run) -> None:
    cfroute("create-route", "cf.localhost", "-n", "kept")
    asked = cfroute("delete-route", "cf.localhost", "-n", "kept", "--json", typed="y\n")
    assert (asked.status, asked.out) == (1, "")
    assert json.loads(asked.err)["error"]["hint"] == "use -f to go ahead without asking"
    assert [route["host"] for route in cfroute("routes", "--json").data] == ["kept"]


def test_what_the_system_refuses_is_told_with_the_file(cfroute: Run, home: Home) -> None:
    cfroute("apps")
    home.cli.unlink()
    home.cli.mkdir()  # root may read every file
    refused = cfroute("apps")
    assert refused.status == 1
    assert refused.err.startswith(f"{home.cli}: Is a directory\n\nTIP: ")


def test_a_file_is_no_state_folder(cfroute: Run, home: Home) -> None:
    home.root.write_text("")
    refused = cfroute("apps")
    assert refused.status == 1
    assert refused.err.startswith(f"the state folder {home.root} cannot be used: ")


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_short_names(alias: str, name: str) -> None:
    assert load(alias) is load(name)


def test_names_are_unique() -> None:
    names = [*ENTRIES, *ALIASES, *DAEMONS]
    assert len(names) == len(set(names))
    assert len(ALIASES) == sum(len(entry.aliases) for entry in ENTRIES.values())
    assert set(COMMON) <= ENTRIES.keys()


@pytest.mark.parametrize("words", [("-h",), ("--help",), ("help", "-a")])
def test_the_help_lists_everything_grouped_by_task(words: tuple[str, ...], cfroute: Run) -> None:
    shown = cfroute(*words)
    assert (shown.status, shown.err) == (0, "")
    assert re.findall(r"^(\S.*):$", shown.out, re.MULTILINE)[: len(catalog.GROUPS)] == list(catalog.GROUPS)
    for name in (*ENTRIES, *DAEMONS):
        assert re.search(rf"^   {re.escape(name)}(, \S+)*  ", shown.out, re.MULTILINE), name


def test_without_a_word_the_common_commands_are_shown(cfroute: Run) -> None:
    shown = cfroute()
    assert (shown.status, shown.err) == (0, "")
    assert shown.out == cfroute("help").out
    assert "cfroute help -a" in shown.out
    assert "unset-env" not in shown.out


def test_an_unknown_command_is_told_with_the_nearest(cfroute: Run) -> None:
    wrong = cfroute("rotes")
    assert (wrong.status, wrong.out) == (1, "")
    assert wrong.err.startswith("'rotes' is not a registered command. See 'cfroute help -a'\n\nDid you mean?\n   routes\n")
    assert cfroute("help", "rotes").err == wrong.err
    assert cfroute("qqqqqq").err == "'qqqqqq' is not a registered command. See 'cfroute help -a'\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    reader = f"{sys.executable} -c 'import sys; sys.stdin.close()'"
    line = f"set -o pipefail; {{ {sys.executable} -m cfroute.cli.main help -a; echo $? >&2; }} | {reader}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30)
    assert done.stderr.strip() in ("0", "141")


def test_components_get_their_arguments_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[list[str]] = []

    class Module:
        @staticmethod
        def main(arguments: list[str]) -> int:
            got.append(arguments)
            return 7

    monkeypatch.setattr("cfroute.cli.main.importlib.import_module", lambda name: Module)
    assert main(["gorouter", "-c", "x.yml", "--bogus"]) == 7
    assert got == [["-c", "x.yml", "--bogus"]]


def test_a_terminal_without_utf_8_gets_a_question_mark(home: Home) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    words = [sys.executable, "-m", "cfroute.cli.main", "docs", "plugins"]
    done = subprocess.run(words, env=environment, capture_output=True, check=True, timeout=30)
    assert b"?" in done.stdout


def test_topics_can_be_listed_and_read(cfroute: Run) -> None:
    assert cfroute("docs", "--json").data == topics()
    assert next(iter(topics())) == "getting-started"
    for topic, title in topics().items():
        assert cfroute("docs", topic).out.startswith(f"# {title}\n")
    assert cfroute("docs", "nothing").status == 4


def test_commands_in_the_topics_exist(cfroute: Run) -> None:
    words = {*DAEMONS, *(name.split()[0] for name in ENTRIES)}
    for topic in topics():
        for name in re.findall(r"\bcfroute ([a-z][a-z-]+)", cfroute("docs", topic).out):
            assert name in words, f"{topic}: cfroute {name}"


def test_with_json_everything_can_be_parsed(cfroute: Run) -> None:
    listed = cfroute("domains", "--json")
    assert (listed.status, listed.err) == (0, "")
    assert {domain["name"] for domain in listed.data} >= {"cf.localhost"}
    again = cfroute("delete", "nothing", "-f", "--json")
    assert again.data == {"name": "nothing", "deleted": False}
    assert json.loads(again.err) == {"warning": "App 'nothing' does not exist."}
    wrong = cfroute("app", "nothing", "--json")
    assert (wrong.status, wrong.out) == (1, "")
    assert wrong.error == {"type": "NotFound", "message": "App 'nothing' not found.", "hint": "", "exit_code": 1}
    refused = cfroute("create-route", "cf.localhost", "--json").error
    assert refused["status"] == 422
    assert refused["errors"][0]["title"] == "CF-UnprocessableEntity"


def test_quiet_says_nothing_but_the_data(cfroute: Run) -> None:
    assert cfroute("orgs", "--quiet") == (0, "name\nlocal\n", "")
    assert cfroute("create-org", "acme", "--quiet") == (0, "", "")


UNNAMED = frozenset({"--docker-image", "--docker-username", "--endpoint", "--lifecycle", "--log-rate-limit", "--task"})
"""Options of cf's that are refused here, and one that cf's own usage leaves out."""


@every_command
def test_the_usage_names_every_option(entry: Entry) -> None:
    """All but `up`, which has two dozen, and `curl`, whose short ones stand together as in cf."""
    if entry.name in ("up", "curl"):
        return
    shared = {option for each in shared_options() for option in each.opts}
    told = set(re.findall(r"--?[\w-]+", command(entry).usage))
    options = (each for each in command(entry).params if isinstance(each, click.Option))
    own = [{*each.opts, *each.secondary_opts} for each in options if not shared & {*each.opts}]
    assert [names for names in own if not names & (told | UNNAMED)] == []
