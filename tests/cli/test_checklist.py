"""What a command line owes its users, in 43 points; each is held for every command of the catalogue, wherever that can be said.

The ids of the tests begin with the number of the point. When one fails for a new command, its message says what that lacks.
"""

import inspect
import json
import re
import signal
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from cfroute import errors
from cfroute.cli import catalog, failures, kinds, live_values
from cfroute.cli.catalog import ALIASES, DAEMONS, ENTRIES, Entry
from cfroute.cli.command import Command
from cfroute.cli.main import load
from cfroute.cli.session import FORMATS, Session
from cfroute.cli.shared_options import SharedOption, shared_options
from cfroute.errors import CfrouteError

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
    33: "../foundation/test_plan.py",
    36: "test_endpoints.py::test_a_home_of_cf_has_a_target_of_its_own",
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
        "auth", "curl", "down", "help", "kill", "logout", "logs", "oauth-token", "passwd", "completion",
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
    folders = (TESTS, TESTS.parent / "plugins")
    files = [*TESTS.glob("cli/transcripts/**/*.txt"), *(file for folder in folders for file in folder.rglob("test_*.py"))]
    here = [file for file in files if file.name != Path(__file__).name and typed.search(file.read_text())]
    assert here, f"no transcript and no test runs `cfroute {entry.name}`"


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
            assert one in live_values.KINDS, f"{parameter.name}: {one} is no kind; cli/live_values.py has KINDS"
    made = re.fullmatch(r"create-(.*)", entry.name)
    if made:
        for parameter in own(command(entry)):
            if isinstance(parameter, click.Argument) and str(parameter.name) == made[1].replace("-", "_"):
                assert getattr(parameter, "kind", "") == kinds.NEW, f"{parameter.name} does not exist yet: argument(…, NEW)"


def test_the_table_of_kinds_names_what_there_is() -> None:
    for name, kind in kinds.KINDS.items():
        assert all(one in live_values.KINDS or one in kinds.OTHER for one in kind.split("-or-")), name


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
