"""What holds for every command."""

import json
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from cfroute import errors
from cfroute.cli import catalog, failures
from cfroute.cli.catalog import ALIASES, COMMON, DAEMONS, ENTRIES, Entry
from cfroute.cli.command import Command
from cfroute.cli.docs import topics
from cfroute.cli.main import load, main
from cfroute.home import Home

from .conftest import Run

every_command = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


def command(entry: Entry) -> Command:
    loaded = load(entry.name)
    assert isinstance(loaded, Command)
    return loaded


@every_command
def test_help_is_the_same_however_it_is_asked_for(entry: Entry, cfroute: Run) -> None:
    shown = [cfroute(*words) for words in ((entry.name, "-h"), (entry.name, "--help"), ("help", entry.name))]
    assert [each.status for each in shown] == [0, 0, 0]
    assert [each.err for each in shown] == ["", "", ""]
    assert len({each.out for each in shown}) == 1
    assert shown[0].out.startswith(f"NAME:\n   {entry.name} - {entry.summary}\n\nUSAGE:\n   ")


@every_command
def test_every_command_has_a_summary_two_examples_and_relatives(entry: Entry) -> None:
    found = command(entry)
    assert found.short_help == entry.summary
    assert not entry.summary.endswith(".")
    assert len(found.examples) >= 2
    assert found.see_also
    assert entry.name not in found.see_also
    assert set(found.see_also) <= ENTRIES.keys()


@every_command
def test_examples_can_be_typed(entry: Entry) -> None:
    """Every word of an example that looks like an option is one, and the command is this one."""
    found = command(entry)
    known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for example in found.examples:
        assert re.search(rf"\bcfroute ({'|'.join((entry.name, *entry.aliases))})\b|cfroute --version", example)
        typed = re.sub(r"'[^']*'|\"[^\"]*\"|#.*|\|.*|&&.*|>.*|^.*\$\(|-H .*", "", example.partition("cfroute ")[2])
        options = {word for word in typed.split() if word.startswith("-") and word != "-"}
        assert options <= known | {"--version"}, example


@every_command
def test_every_option_is_explained(entry: Entry) -> None:
    for parameter in command(entry).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{entry.name} {parameter.opts}"


@every_command
def test_every_command_takes_the_options_of_all(entry: Entry) -> None:
    names = [name for parameter in command(entry).params for name in parameter.opts]
    assert {"--json", "--quiet", "--no-input", "--debug", "--state-dir"} <= set(names)
    assert len(names) == len(set(names))


@every_command
def test_an_unknown_option_is_told_with_the_nearest(entry: Entry, cfroute: Run) -> None:
    wrong = cfroute(entry.name, "--jsn")
    assert wrong.err == "Incorrect Usage: unknown flag `jsn'\nDid you mean --json?\n\n"
    assert wrong.out.startswith(f"NAME:\n   {entry.name} - ")
    assert wrong.status == (1 if command(entry).cf_shaped else 2)


@every_command
def test_wrong_usage_is_json_too(entry: Entry, cfroute: Run) -> None:
    wrong = cfroute(entry.name, "--json", "--jsn")
    assert wrong.out == ""
    assert wrong.error["type"] == "UsageError"
    assert wrong.error["exit_code"] == wrong.status


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


@every_command
def test_no_command_needs_a_prompt(entry: Entry) -> None:
    """Whoever asks can be told not to ask: by -f, which cf has, and everywhere by --no-input."""
    found = command(entry)
    assert found.callback is not None
    asks = "confirm" in found.callback.__code__.co_names
    forces = any("-f" in p.opts or "--force" in p.opts for p in found.params)
    assert forces or not asks


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


def test_options_may_stand_before_the_command(cfroute: Run) -> None:
    before, after = cfroute("--json", "version"), cfroute("version", "--json")
    assert before == after
    assert before.data["cfroute"] == cfroute("--version").out.split()[-1]


def kinds(kind: type[errors.CfrouteError] = errors.CfrouteError) -> Iterator[type[errors.CfrouteError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from kinds(below)


@pytest.mark.parametrize("kind", list(kinds()))
def test_exit_statuses_are_as_documented(kind: type[errors.CfrouteError]) -> None:
    ours, cfs = load("status"), load("routes")
    assert isinstance(ours, Command)
    assert isinstance(cfs, Command)
    assert failures.exit_status(kind("x"), ours) == kind.exit_code
    assert failures.exit_status(kind("x"), cfs) == (3 if kind is errors.NotRunning else 1)


def test_the_topic_tells_every_exit_status(cfroute: Run) -> None:
    told = set(re.findall(r"^\| (\d+) \|", cfroute("docs", "exit-codes").out, re.MULTILINE))
    used = {kind.exit_code for kind in kinds()} | {failures.HttpStatus.exit_code}
    used |= {failures.INTERRUPTED, failures.READER_GONE, failures.TERMINATED}
    assert {str(status) for status in used} <= told


def test_a_fault_of_ours_shows_no_traceback_without_debug(cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load("version")
    assert found is not None

    def broken(session: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(found, "callback", broken)
    wrong = cfroute("version")
    assert wrong.status == 1
    assert wrong.err.startswith("internal error: ZeroDivisionError: oh\n")
    assert "Traceback" not in wrong.err
    assert "Traceback" in cfroute("version", "--debug").err


def test_ctrl_c_ends_with_130(cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load("version")
    assert found is not None

    def interrupted(session: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(found, "callback", interrupted)
    assert cfroute("version") == (130, "", "\n")


def test_sigterm_leaves_through_every_door(cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load("version")
    assert found is not None
    left: list[bool] = []

    def terminated(session: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            left.append(True)

    monkeypatch.setattr(found, "callback", terminated)
    with pytest.raises(SystemExit) as end:
        cfroute("version")
    assert end.value.code == 143
    assert left == [True]


def test_a_reader_that_goes_away_is_no_error() -> None:
    reader = f"{sys.executable} -c 'import sys; sys.stdin.close()'"
    line = f"set -o pipefail; {{ {sys.executable} -m cfroute.cli.main help -a; echo $? >&2; }} | {reader}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=20)
    assert done.stderr.strip() in ("0", "141")


def test_help_is_there_at_once() -> None:
    """150 ms of CPU is the aim; three times that here, for slow machines. What is not to be imported, is not."""
    heavy = ("httpx", "rich", "sqlalchemy", "uvloop", "starlette", "msgspec", "asyncio", "yaml")
    code = (
        "import sys, cfroute.cli.main as m; m.main(['--help']);"
        f"print(sorted(set({heavy!r}) & sys.modules.keys()), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stderr == "[]\n"
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 0.45


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


def test_topics_can_be_listed_and_read(cfroute: Run) -> None:
    assert cfroute("docs", "--json").data == topics()
    assert next(iter(topics())) == "getting-started"
    for topic, title in topics().items():
        assert cfroute("docs", topic).out.startswith(f"# {title}\n")
    assert cfroute("docs", "nothing").status == 4


def test_commands_in_the_topics_exist(cfroute: Run) -> None:
    for topic in topics():
        for name in re.findall(r"\bcfroute ([a-z][a-z-]+)", cfroute("docs", topic).out):
            assert name in ENTRIES or name in DAEMONS, f"{topic}: cfroute {name}"


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
