"""What a command line owes its users, in 43 points; each is held for every command of the catalogue, wherever that can be said.

The ids of the tests begin with the number of the point. When one fails for a new command, its message says what that lacks.
"""

import asyncio
import base64
import functools
import inspect
import io
import json
import re
import resource
import signal
import socket
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from cfroute import errors
from cfroute.cli import catalog, failures, fault_report, kinds, live_values, progress
from cfroute.cli.access.api import Api
from cfroute.cli.access.tokens import Tokens
from cfroute.cli.access.transport import Links
from cfroute.cli.catalog import ALIASES, DAEMONS, ENTRIES, Entry
from cfroute.cli.command import Command
from cfroute.cli.finding import load
from cfroute.cli.session import FORMATS, Session
from cfroute.cli.settings import Settings
from cfroute.cli.shared_options import SharedOption, shared_options
from cfroute.errors import CfrouteError
from cfroute.home import Home
from cfroute.testing.clock import ManualClock

from .conftest import Run

TESTS = Path(__file__).parents[1]
SOURCES = Path(__file__).parents[2] / "cfroute" / "cli"

POINTS = {
    1: "help is had in every way that people try",
    2: "the help of a command has a summary, two examples, every option, and what is related",
    3: "what is common comes first, grouped by task",
    4: "who mistypes is told what is spelled alike",
    5: "the documentation is on board, offline",
    6: "data goes to stdout; with --json and its like nothing else does",
    7: "all data is there for programs, in a documented form; errors too",
    8: "--plain is one record a line",
    9: "colour is for terminals, and can be switched off in every usual way",
    10: "nothing moves but on a terminal; there it shows that something takes long",
    11: "a change says what it changed, and what may be next",
    12: "--quiet, --verbose and --debug",
    13: "tables have the columns of cf",
    17: "no traceback, unless it is asked for; what went wrong, why, and what to do",
    18: "exit statuses are few, documented, and the same everywhere",
    19: "a check can be used in a script",
    20: "a fault of ours leaves a report to send, and sends nothing",
    21: "every option has a long name; short ones mean what they mean elsewhere",
    22: "`-` is stdin or stdout where a file is taken",
    23: "secrets need not stand on the command line",
    24: "what destroys asks first; what destroys much can show it without doing it",
    25: "nothing has to be answered: --no-input",
    26: "commands are not abbreviated",
    27: "shared options stand before or after the command",
    28: "what cf has is called as in cf; what is new is noun, then verb",
    29: "the foundation is started, awaited, looked at, and ended",
    30: "a taken port is told with the option that changes it",
    31: "Ctrl-C ends things in order, a second one by force",
    32: "configuration is shown with where it comes from, and checked",
    33: "everything is on the loopback interface, and said to be",
    34: "that it is ready is told to programs too",
    35: "flags, environment, project's file, user's file, defaults: in that order",
    36: "CF_HOME and CF_TRACE are honoured",
    37: "other programs get the addresses as environment variables",
    38: "whatever names something that exists is completed",
    39: "--version",
    40: "nothing is sent anywhere",
    42: "the help is there at once",
}
"""The points that are held here or, by HELD_BY, elsewhere; the others are not musts, and cfroute does without: 14 pager,
15 pages, 16 forms of times, 41 and 43, which no test can hold."""

HELD_BY = {
    3: "test_commands.py::test_the_help_lists_everything_grouped_by_task",
    5: "test_commands.py::test_topics_can_be_listed_and_read",
    13: "test_transcripts.py::test_what_is_typed_and_seen",
    33: "../foundation/test_plan.py::test_every_vm_has_an_address_and_the_documented_ports",
    30: "../foundation/test_machine.py::test_a_conflict_names_the_port_the_use_and_the_way_out",
    32: "test_configuration.py::test_mistakes_are_told_with_the_file",
    34: "../e2e/test_for_programs.py::test_a_file_and_a_descriptor_tell_that_it_is_ready",
    35: "test_configuration.py::test_the_nearer_place_counts",
    36: "access/test_endpoints.py::test_a_home_of_cf_has_a_target_of_its_own",
    37: "../e2e/test_for_programs.py::test_a_program_finds_the_foundation",
}


def every_command(point: int) -> Callable[[Any], Any]:
    """The test holds this point for each command of the catalogue."""
    return pytest.mark.parametrize("entry", ENTRIES.values(), ids=[f"{point}-{name}" for name in ENTRIES])


def point(number: int) -> Callable[[Any], Any]:
    """The test holds this point for the command line as a whole."""
    return pytest.mark.parametrize("number", [number], ids=str)


def command(entry: Entry) -> Command:
    loaded = load(entry.name)
    assert isinstance(loaded, Command), f"{entry.target} is no command of the frame: use @command"
    return loaded


def own(found: Command) -> Iterator[click.Parameter]:
    """What the command has besides the options of all."""
    return (parameter for parameter in found.params if not isinstance(parameter, SharedOption))


Given = Callable[[Entry, Callable[..., Any]], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Lets a command do something else; its arguments are not looked at."""

    def replace(entry: Entry, callback: Callable[[Session], Any]) -> None:
        found = command(entry)
        monkeypatch.setattr(found, "callback", lambda session, **_: callback(session))
        monkeypatch.setattr(found, "params", [each for each in found.params if isinstance(each, SharedOption)])
        monkeypatch.setattr(found, "text", lambda data: "as text")

    return replace


@every_command(1)
def test_help_is_the_same_however_it_is_asked_for(entry: Entry, cfroute: Run) -> None:
    words = entry.name.split()
    shown = [cfroute(*asked) for asked in ((*words, "-h"), (*words, "--help"), ("help", *words))]
    assert [each.status for each in shown] == [0, 0, 0]
    assert [each.err for each in shown] == ["", "", ""]
    assert len({each.out for each in shown}) == 1
    assert shown[0].out.startswith(f"NAME:\n   {entry.name} - {entry.summary}\n\nUSAGE:\n   ")


@every_command(2)
def test_every_command_has_a_summary_two_examples_and_relatives(entry: Entry) -> None:
    found = command(entry)
    assert found.short_help == entry.summary
    assert not entry.summary.endswith("."), "the summary in cli/catalog.py is no sentence: without the full stop"
    assert len(found.examples) >= 2, "give @command(examples=…) two examples"
    assert found.see_also, "give @command(see_also=…) the related commands"
    assert entry.name not in found.see_also
    assert set(found.see_also) <= ENTRIES.keys(), f"see_also: no commands: {set(found.see_also) - ENTRIES.keys()}"


@every_command(2)
def test_examples_can_be_typed(entry: Entry) -> None:
    """Every word of an example that looks like an option is one, and the command is this one."""
    found = command(entry)
    known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for example in found.examples:
        assert re.search(rf"\bcfroute ({'|'.join((entry.name, *entry.aliases))})\b|cfroute --version", example)
        typed = re.sub(r"'[^']*'|\"[^\"]*\"|#.*|\|.*|&&.*|>.*|^.*\$\(|-H .*", "", example.partition("cfroute ")[2])
        typed = typed.partition(" -- ")[0]
        options = {word for word in typed.split() if word.startswith("-") and word != "-"}
        assert options <= known | {"--version"}, example


@every_command(2)
def test_every_option_is_explained(entry: Entry) -> None:
    for parameter in command(entry).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{'/'.join(parameter.opts)} has no help"


@every_command(4)
def test_an_unknown_option_is_told_with_the_nearest(entry: Entry, cfroute: Run) -> None:
    wrong = cfroute(*entry.name.split(), "--jsn")
    assert wrong.err == "Incorrect Usage: unknown flag `jsn'\nDid you mean --json?\n\n"
    assert wrong.out.startswith(f"NAME:\n   {entry.name} - ")
    assert wrong.status == (1 if command(entry).cf_shaped else 2)


@every_command(4)
def test_an_unknown_command_is_told_with_the_nearest(entry: Entry, cfroute: Run) -> None:
    wrong = cfroute(f"{entry.name}x")
    assert (wrong.status, wrong.out) == (1, "")
    assert wrong.err.startswith(f"'{entry.name}x' is not a registered command. See 'cfroute help -a'\n\nDid you mean?\n   ")
    assert f"\n   {entry.name}\n" in wrong.err


class Said(typing.NamedTuple):
    """What the command of the following tests returns."""

    name: str
    note: str


DATA = [Said("a", "tab\there"), Said("b", "line\nbreak")]


def talk(session: Session) -> list[Said]:
    """Everything that a command can say, and data."""
    session.say("Doing it...")
    session.ok()
    session.tip("do more")
    session.warn("careful")
    return DATA


@every_command(6)
def test_data_is_never_mixed_with_messages(entry: Entry, given: Given, cfroute: Run) -> None:
    given(entry, talk)
    words = entry.name.split()
    for flags in (("--json",), ("--plain",)):
        told = cfroute(*words, *flags)
        assert told.status == 0
        assert "Doing" not in told.out + told.err
        assert "careful" in told.err
        assert "careful" not in told.out
    text = cfroute(*words)
    assert text.out.endswith("as text\n")
    assert ("Doing it...\n" in text.out) is command(entry).cf_shaped, "cf's commands announce on stdout, as cf; ours on stderr"
    assert "Doing it...\n" in text.out + text.err


@every_command(7)
def test_data_is_there_for_programs(entry: Entry, given: Given, cfroute: Run) -> None:
    """What the command returns is printed; so what it does not return is not there for programs."""
    silent = {
        "auth", "curl", "down", "help", "kill", "logout", "logs", "oauth-token", "passwd", "completion", "exec",
    }  # fmt: skip
    returned = inspect.signature(inspect.unwrap(command(entry).callback or talk)).return_annotation
    emits = "session.emit(" in inspect.getsource(command(entry).callback or talk)
    assert returned is not None or emits or entry.name in silent, "return what the command has found or changed, for --json"
    taken = {name for each in own(command(entry)) for name in each.opts}
    given(entry, talk)
    words = entry.name.split()
    expected = [each._asdict() for each in DATA]
    assert cfroute(*words, "--json").data == [list(each.values()) for each in expected]
    if "--output" not in taken:
        lines = cfroute("--output", "jsonl", *words).out.splitlines()
        assert [json.loads(line) for line in lines] == [list(each.values()) for each in expected]
        assert cfroute(*words, "--output", "none").out == ""


@every_command(7)
def test_errors_are_json_too(entry: Entry, given: Given, cfroute: Run) -> None:
    words = entry.name.split()
    wrong = cfroute(*words, "--json", "--jsn")
    assert wrong.out == ""
    assert (wrong.error["type"], wrong.error["exit_code"]) == ("UsageError", wrong.status)

    def fail(session: Session) -> None:
        session.warn("careful")
        raise errors.NotFound("nothing there", "look elsewhere")

    given(entry, fail)
    failed = cfroute(*words, "--json")
    assert failed.out == ""
    assert json.loads(failed.err.splitlines()[0]) == {"warning": "careful"}
    told = {"type": "NotFound", "message": "nothing there", "hint": "look elsewhere", "exit_code": failed.status}
    assert failed.error == told


@every_command(8)
def test_plain_is_one_record_a_line(entry: Entry, given: Given, cfroute: Run) -> None:
    given(entry, lambda session: DATA)
    assert cfroute(*entry.name.split(), "--plain").out == "a\ttab\\there\nb\tline\\nbreak\n"


@every_command(9)
def test_colour_can_be_switched_off_and_on(entry: Entry, given: Given, cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    given(entry, lambda session: session.print(click.style("red", fg="red")))
    words = entry.name.split()
    assert "\x1b" in cfroute(*words, "--color", "always").out
    for off in (("--no-color",), ("--color", "never"), ("--color", "auto"), ()):
        assert cfroute(*words, *off).out == "red\n"
    for name, value, coloured in (("NO_COLOR", "1", False), ("TERM", "dumb", False), ("FORCE_COLOR", "1", True)):
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            assert ("\x1b" in cfroute(*words).out) is coloured
            assert "\x1b" not in cfroute(*words, "--no-color").out


@every_command(11)
def test_what_a_command_says_is_tested(entry: Entry) -> None:
    """Announcements, OK and tips are in a transcript of cf's, or in a test of the command's own."""
    names = "|".join(re.escape(name) for name in (entry.name, entry.name.replace(" ", '", "'), *entry.aliases))
    typed = re.compile(rf"\$ cfroute ({names})\b|[\"'(]({names})[\"' ]")
    assert typed.search(_all_tests()), f"no transcript and no test runs `cfroute {entry.name}`"


@functools.cache
def _all_tests() -> str:
    """Every transcript and every test but those here."""
    folders = (TESTS, TESTS.parent / "plugins")
    files = [*TESTS.glob("cli/transcripts/**/*.txt"), *(file for folder in folders for file in folder.rglob("test_*.py"))]
    return "\n".join(file.read_text() for file in files if file.name != Path(__file__).name)


@every_command(12)
def test_quiet_says_nothing(entry: Entry, given: Given, cfroute: Run) -> None:
    given(entry, talk)
    assert cfroute("--quiet", *entry.name.split()) == (0, "as text\n", "careful\n")


@every_command(17)
def test_a_fault_of_ours_shows_no_traceback_unless_asked(entry: Entry, given: Given, cfroute: Run) -> None:
    given(entry, lambda session: 1 // 0)
    words = entry.name.split()
    wrong = cfroute(*words)
    assert wrong.status == 1
    assert wrong.err.startswith("internal error: ZeroDivisionError: integer division or modulo by zero\n")
    assert "Traceback" not in wrong.err + wrong.out
    assert "Traceback" in cfroute(*words, "--debug").err


def error_kinds(kind: type[CfrouteError] = CfrouteError) -> Iterator[type[CfrouteError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from error_kinds(below)


@every_command(18)
def test_exit_statuses_are_as_documented(entry: Entry, given: Given, cfroute: Run) -> None:
    """cf knows 1 alone; two statuses that it does not need for anything else are kept in its commands too."""
    words = entry.name.split()
    for kind in (*error_kinds(), failures.HttpStatus):
        given(entry, lambda session, kind=kind: (_ for _ in ()).throw(kind("x")))
        kept = issubclass(kind, errors.NotRunning | failures.HttpStatus) or not command(entry).cf_shaped
        assert cfroute(*words).status == (kind.exit_code if kept else 1)


@every_command(18)
def test_signals_end_with_their_statuses(entry: Entry, given: Given, cfroute: Run) -> None:
    words = entry.name.split()
    given(entry, lambda session: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cfroute(*words) == (130, "", "\n")
    left: list[str] = []

    def terminated(session: Session) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            left.append(entry.name)

    given(entry, terminated)
    with pytest.raises(SystemExit) as end:
        cfroute(*words)
    assert (end.value.code, left) == (143, [entry.name])


@point(18)
def test_the_topic_tells_every_exit_status(number: int, cfroute: Run) -> None:
    told = set(re.findall(r"^\| (\d+) \|", cfroute("docs", "exit-codes").out, re.MULTILINE))
    used = {kind.exit_code for kind in error_kinds()} | {failures.HttpStatus.exit_code}
    used |= {failures.INTERRUPTED, failures.READER_GONE, failures.TERMINATED}
    assert {str(status) for status in used} <= told


@point(19)
def test_a_check_can_be_used_in_a_script(number: int, cfroute: Run) -> None:
    assert cfroute("check-route", "cf.localhost", "-n", "nothing", "--exit-code").status == 4
    assert cfroute("create-route", "cf.localhost", "-n", "some").status == 0
    assert cfroute("check-route", "cf.localhost", "-n", "some", "--exit-code").status == 0


STANDARD = {"--force": "-f", "--dry-run": "-n", "--quiet": "-q", "--verbose": "-v"}


@every_command(21)
def test_every_option_has_a_long_name(entry: Entry) -> None:
    found = command(entry)
    for parameter in found.params:
        if isinstance(parameter, click.Option):
            long = [name for name in parameter.opts if name.startswith("--")]
            assert long, f"{'/'.join(parameter.opts)} has only a short name: make it with `option` of cli/options.py"
            for name in long:
                short = [each for each in parameter.opts if not each.startswith("--")]
                assert not short or STANDARD.get(name, short[0]) in short, f"{name} is called {STANDARD[name]} everywhere else"
    names = [name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)]
    assert len(names) == len(set(names))


@every_command(21)
def test_a_letter_of_ours_gives_way_to_that_of_cf(entry: Entry) -> None:
    found = command(entry)
    taken = {name for each in own(found) for name in (*each.opts, *each.secondary_opts)}
    there = {name for each in found.params if isinstance(each, SharedOption) for name in each.opts}
    everything = {name for each in shared_options() for name in each.opts}
    lost = everything - there
    assert lost <= taken | ({"-o"} if "--output" in taken else set())
    assert not taken & there


@every_command(23)
def test_a_secret_can_come_from_stdin(entry: Entry) -> None:
    secret = re.compile(r"password|passcode|secret|token|private_key")
    for parameter in own(command(entry)):
        takes_value = isinstance(parameter, click.Argument) or not getattr(parameter, "is_flag", False)
        if takes_value and secret.search(str(parameter.name)):
            assert getattr(parameter, "kind", "") == kinds.SECRET, (
                f"{parameter.name} is a secret: make it with `argument` or `option` of cli/options.py, kind SECRET, "
                "so that `-` is a line of stdin"
            )


@every_command(24)
def test_what_destroys_asks_first(entry: Entry) -> None:
    if not re.match(r"delete|purge|unbind-route", entry.name):
        return
    found = command(entry)
    assert any("--force" in parameter.opts for parameter in found.params), "give it `force` of cli/options.py"
    assert "confirm" in inspect.getsource(inspect.getmodule(found.callback) or kinds), "ask with session.confirm"


@every_command(26)
def test_no_abbreviation_is_a_command(entry: Entry) -> None:
    exact = {*ENTRIES, *ALIASES, *DAEMONS, *(name.split()[0] for name in ENTRIES)}
    for length in range(1, len(entry.name)):
        if (short := entry.name[:length].strip()) not in exact:
            assert load(short) is None, f"{short} runs a command"


@every_command(27)
def test_shared_options_stand_before_or_after_the_command(entry: Entry, given: Given, cfroute: Run) -> None:
    given(entry, talk)
    words = entry.name.split()
    for flags in (("--json",), ("--quiet",), ("--plain",), ("--no-color",)):
        assert cfroute(*flags, *words) == cfroute(*words, *flags)


@every_command(38)
def test_whatever_names_something_is_completed(entry: Entry) -> None:
    """Every argument, and every option that takes a word, says what stands there; what is to exist already is looked up."""
    for parameter in own(command(entry)):
        free = isinstance(parameter.type, click.types.StringParamType | click.types.FuncParamType)
        if not (free or isinstance(parameter, click.Argument)) or getattr(parameter, "is_flag", False):
            continue
        if isinstance(parameter.type, click.Choice | click.types.IntParamType | click.IntRange):
            continue
        kind = getattr(parameter, "kind", "")
        assert kind, (
            f"{parameter.name}: what stands there? Make it with `argument` or `option` of cli/options.py, and name its kind "
            "there or in the table of cli/kinds.py"
        )
        for one in () if kind in kinds.OTHER else kind.split("-or-"):
            assert one in live_values.LOOKS, f"{parameter.name}: {one} is no kind; cli/live_values.py has LOOKS"
    made = re.fullmatch(r"create-(.*)", entry.name)
    if made:
        for parameter in own(command(entry)):
            if isinstance(parameter, click.Argument) and str(parameter.name) == made[1].replace("-", "_"):
                assert getattr(parameter, "kind", "") == kinds.NEW, f"{parameter.name} does not exist yet: argument(…, NEW)"


@point(10)
def test_nothing_moves_where_nobody_looks_on(number: int, cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress.on_terminal(wanted=True) is None
    assert "\x1b" not in "".join(cfroute("domains")[1:])
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert progress.on_terminal(wanted=False) is None
    assert progress.on_terminal(wanted=True) is not None


@point(10)
def test_who_waits_for_an_answer_is_told_so(number: int, home: Home) -> None:
    """The answer comes once that is seen; so this ends only if it is."""
    terminal = io.StringIO()
    seen = asyncio.Event()

    class Seen(progress.Waiting):
        def show(self, what: str) -> None:
            super().show(what)
            seen.set()

    async def answer(request: httpx.Request) -> httpx.Response:
        await seen.wait()
        return httpx.Response(200, json={"resources": []})

    client = httpx.AsyncClient(base_url="http://api.test", transport=httpx.MockTransport(answer))
    claims = base64.urlsafe_b64encode(b'{"exp": 9999999999}').decode()
    settings = Settings(access_token=f"e30.{claims}.x")
    waiting = Seen(terminal)
    api = Api(Links(client, client), Tokens(client, settings, home, "", ManualClock()), ManualClock(), print, waiting)
    assert api.first("/v3/apps") is None
    api.close()
    assert terminal.getvalue() == "waiting for cloud_controller ...\r\x1b[K"


@point(12)
def test_requests_can_be_seen(number: int, cfroute: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = cfroute("orgs", "--verbose")
    assert shown.out == cfroute("orgs").out
    assert "\nGET /v3/organizations?" in f"\n{shown.err}"
    assert "Authorization: [PRIVATE DATA HIDDEN]" in shown.err
    told = [json.loads(line) for line in cfroute("orgs", "-v", "--json").err.splitlines()]
    assert all(list(line) == ["trace"] for line in told)
    file = tmp_path / "traces" / "trace.txt"
    monkeypatch.setenv("CF_TRACE", str(file))
    assert cfroute("orgs").err == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert "HTTP/1.1 200 OK" in file.read_text()
    monkeypatch.setenv("CF_TRACE", "true")
    assert "GET /v3/organizations?" in cfroute("orgs").err
    monkeypatch.setenv("CF_TRACE", str(tmp_path))
    assert cfroute("orgs").err.startswith(f"CF_TRACE: {tmp_path} cannot be written: ")


@every_command(20)
def test_a_fault_leaves_a_report(entry: Entry, given: Given, cfroute: Run, home: Home) -> None:
    given(entry, lambda session: 1 // 0)
    told = cfroute(*entry.name.split(), "--quiet").err
    [report] = home.logs.glob("fault-*.md")
    assert str(report) in told
    assert "nobody has been sent" in told
    text = report.read_text()
    assert text.startswith("# ZeroDivisionError: ")
    assert f"- command: `cfroute {entry.name} --quiet`" in text
    assert "Traceback (most recent call last)" in text
    assert report.stat().st_mode & 0o777 == 0o600


@point(20)
def test_values_of_the_user_are_not_in_the_report(number: int) -> None:
    assert fault_report.shown(["push", "secret", "--var", "a=b", "--path=x", "config", "set", "-ps3cret", "--s3cret"]) == [
        "push", "…", "--var", "…", "--path", "config", "set", "-p", "…",
    ]  # fmt: skip


@every_command(22)
def test_a_dash_is_stdin_or_stdout(entry: Entry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for parameter in own(command(entry)):
        kind = getattr(parameter, "kind", "")
        named = re.search(r"\bFILE|file$", f"{parameter.metavar} {parameter.name}")
        assert not named or kind in (kinds.FILE, kinds.OUTPUT, kinds.PLACE, kinds.JSON), (
            f"{parameter.name} names a file: give it the kind FILE, OUTPUT or PLACE of cli/kinds.py"
        )
        if kind not in (kinds.FILE, kinds.OUTPUT):
            continue
        monkeypatch.setattr(sys, "stdin", io.StringIO("of stdin"))
        with click.Context(click.Command("x"), obj=Session()) as context:
            got = parameter.process_value(context, ("-",) if getattr(parameter, "multiple", False) else "-")
            path = Path(got[0] if isinstance(got, tuple) else got)
            if kind == kinds.FILE:
                assert path.read_text() == "of stdin"
            else:
                path.write_text("to stdout")
        assert not path.exists()
        assert capsys.readouterr().out == ("to stdout" if kind == kinds.OUTPUT else "")


@point(22)
def test_json_may_come_from_stdin(number: int, cfroute: Run) -> None:
    made = cfroute("cups", "drain", "-p", "-", typed='{"key": "value"}')
    assert made.status == 0
    assert "no JSON object" in cfroute("cups", "other", "-p", "-", typed="key").err


BULK = ("delete-orphaned-routes", "delete-org", "delete-space")


@point(24)
def test_what_destroys_much_can_show_it_first(number: int, cfroute: Run) -> None:
    for words in (("create-route", "cf.localhost", "-n", "x"), ("create-private-domain", "local", "own.example.com")):
        assert cfroute(*words).status == 0
    shown = {
        name: cfroute(name, *arguments, "--dry-run", "--json")
        for name, arguments in zip(BULK, ((), ("local",), ("dev",)), strict=True)
    }
    found = {name: {(each["kind"], each["name"]) for each in each_shown.data} for name, each_shown in shown.items()}
    route = ("route", "x.cf.localhost")
    assert found["delete-orphaned-routes"] == {route}
    assert found["delete-space"] == {("space", "dev"), route}
    assert found["delete-org"] == {("org", "local"), ("domain", "own.example.com"), ("space", "dev"), route}
    assert [each["host"] for each in cfroute("routes", "--json").data] == ["x"]
    assert "This would be deleted:\n\nkind    name\nroute   x.cf.localhost\n" in cfroute(BULK[0], "--dry-run").out


ASKING = re.compile(r"click\.(prompt|confirm)|getpass|(?<!\w)input\(|\.readline\(")


@every_command(25)
def test_only_the_session_asks(entry: Entry) -> None:
    """It knows --no-input, and when there is nobody; so no command needs to."""
    module = inspect.getmodule(command(entry).callback)
    assert module is not None
    assert not ASKING.search(inspect.getsource(module)), "ask with session.ask or session.confirm"


@point(25)
def test_nobody_is_asked(number: int, cfroute: Run) -> None:
    for words in (("login",), ("passwd",), ("create-user", "x", "--password-prompt"), ("delete-org", "local")):
        refused = cfroute(*words, "--no-input", typed="y\ny\ny\n")
        assert refused.status == 1
        assert "?" not in refused.out


@every_command(28)
def test_two_words_are_noun_and_verb(entry: Entry) -> None:
    words = entry.name.split()
    assert len(words) <= 2
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*( [a-z]+)?", entry.name)
    assert len(words) == 1 or not command(entry).cf_shaped, "cf has no commands of two words"


@point(29)
def test_the_foundation_is_started_and_ended(number: int, cfroute: Run) -> None:
    names = {name for parameter in command(ENTRIES["up"]).params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {"--detach", "--wait", "--no-wait", "--timeout"} <= names
    assert {"up", "down", "status", "logs", "restart"} <= ENTRIES.keys()
    assert "cfroute restart" in cfroute("docs", "configuration").out.partition("## Reload")[2].partition("\n## ")[0]


@point(31)
def test_a_second_ctrl_c_ends_by_force(number: int) -> None:
    """The first one is acknowledged, and things are put in order; here that never comes to an end."""
    code = (
        "import signal, sys, cfroute.cli.main as m\n"
        "from cfroute.cli.session import Session\n"
        "from cfroute.cli.finding import load\n"
        "def busy(word): print(word, flush=True); signal.pause()\n"
        "load('version').callback = lambda session: busy('busy')\n"
        "Session.close = lambda self: busy('closing')\n"
        "sys.exit(m.main(['version']))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for word in ("busy\n", "closing\n"):
            assert process.stdout.readline() == word
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT


@point(39)
def test_the_version(number: int, cfroute: Run) -> None:
    short, told = cfroute("--version"), cfroute("version", "--json").data
    assert short == (0, f"cfroute version {told['cfroute']}\n", "")
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"cfroute", "python", "platform", "libraries", "output"} <= told.keys()


@point(40)
def test_nothing_is_asked_of_the_network(number: int, cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            called.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: called.append(given))
    for words in (("version",), ("help", "-a"), ("docs", "errors"), ("config", "show"), ("orgs",), ("info",), ("plugins",)):
        assert cfroute(*words).status == 0
    assert called == []


@point(42)
def test_the_help_takes_no_time(number: int) -> None:
    """150 ms of CPU, or three times that on a slow machine; what is not to be imported, is not."""
    heavy = ("httpx", "rich", "sqlalchemy", "uvloop", "starlette", "msgspec", "asyncio", "yaml", "tomli_w")
    code = (
        "import sys, cfroute.cli.main as m; m.main(['--help']);"
        f"print(sorted(set({heavy!r}) & sys.modules.keys()), file=sys.stderr)"
    )

    def spent() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.stderr == "[]\n"
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # the best of a few: who has to share a core finds its caches cold
    assert any(spent() < 0.45 for _ in range(5))


def test_the_table_of_kinds_names_what_there_is() -> None:
    for name, kind in kinds.PARAMETERS.items():
        assert all(one in live_values.LOOKS or one in kinds.OTHER for one in kind.split("-or-")), name


def test_every_format_is_tried() -> None:
    assert set(FORMATS) == {"text", "json", "jsonl", "plain", "none"}


def test_every_point_is_held() -> None:
    """By a test here, or by the one that is named."""
    here = Path(__file__).read_text()
    held = {int(number) for number in re.findall(r"^@(?:every_command|point)\((\d+)\)", here, re.MULTILINE)}
    missing = POINTS.keys() - held - HELD_BY.keys()
    assert not missing, [f"{number}: {POINTS[number]}" for number in sorted(missing)]
    assert held <= POINTS.keys()
    for named in HELD_BY.values():
        file, _, name = named.partition("::")
        assert f"def {name}" in (Path(__file__).parent / file).resolve().read_text(), named


def test_the_catalogue_is_what_is_walked() -> None:
    assert sum(len(entries) for entries in catalog.GROUPS.values()) == len(ENTRIES) > 60
