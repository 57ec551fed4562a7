"""Whole sessions, compared word by word with what the real cf prints (`cfroute` for `cf`; columns and habits of cf 8.18).

A transcript is a list of blocks, each what a person types and sees:

    $ cfroute create-route nope.example.com      # exit 1
    Creating route nope.example.com for org acme / space dev as admin...
    2> Domain 'nope.example.com' not found.
    FAILED

`2> ` marks stderr, `# exit N` the status (0 otherwise), `# types X` what stands on stdin; what a command `# given` prints is not
looked at. <guid>, <time>, <stamp>, <date>, <folder> and <port> stand for what differs each time; <version> for what the
API says. The empty line that follows OK is left out where nothing else does. All commands of one transcript work on one state
folder, in which nothing runs.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import Outcome, Run

TRANSCRIPTS = Path(__file__).parent / "transcripts"
PLACEHOLDERS = {
    "<guid>": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "<stamp>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d[+-]\d{4}",
    "<port>": r"1[01]\d\d",
    "<date>": r"[A-Z][a-z]{2} \d\d [A-Z][a-z]{2} \d\d:\d\d:\d\d \S+ \d{4}",
    "<folder>": r"/\S+",
    "<version>": r"3\.\d+\.\d+",
}
SETTING = (
    "create-org acme",
    "create-space dev -o acme",
    "target -o acme -s dev",
    "create-shared-domain apps.example.com",
)
"""What the transcripts start from, but for that of the orgs."""


class Block(NamedTuple):
    """One command with what is to be seen."""

    line: int
    words: list[str]
    typed: str
    given: bool
    expected: Outcome


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a transcript, with the numbers of their lines."""
    for match in re.finditer(r"^\$ cfroute (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        command, *notes = re.split(r" {3,}# ", match[1])
        status = next((int(note[5:]) for note in notes if note.startswith("exit ")), 0)
        typed = next((f"{note[6:]}\n" for note in notes if note.startswith("types ")), "")
        shown = match[2].removesuffix("\n").splitlines() if match[2].strip() else []
        out = "".join(f"{line}\n" for line in shown if not line.startswith("2>"))
        out += "\n" * out.endswith("OK\n")
        err = "".join(f"{line[2:].removeprefix(' ')}\n" for line in shown if line.startswith("2>"))
        line = text.count("\n", 0, match.start()) + 1
        yield Block(line, shlex.split(command), typed, "given" in notes, Outcome(status, out, err))


def pattern(expected: str) -> str:
    """The expected text as a regular expression."""
    escaped = re.escape(expected)
    for name, expression in PLACEHOLDERS.items():
        escaped = escaped.replace(re.escape(name), expression)
    return escaped


def play(name: str, text: str, cfroute: Run) -> None:
    """Type what the transcript has, and compare what is seen."""
    for block in blocks(text):
        seen = cfroute(*block.words, typed=block.typed)
        where = f"{name}:{block.line}: cfroute {shlex.join(block.words)}"
        assert seen.status == block.expected.status, f"{where}\n{seen.out}{seen.err}"
        for stream, got, wanted in (("out", seen.out, block.expected.out), ("err", seen.err, block.expected.err)):
            if not block.given and not re.fullmatch(pattern(wanted), got):
                assert got == wanted, f"{where}: {stream}"


@pytest.mark.parametrize("transcript", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_what_is_typed_and_seen(transcript: Path, cfroute: Run, app_folder: Path) -> None:
    for line in SETTING if transcript.stem != "orgs" else ():
        assert cfroute(*line.split()).status == 0
    play(transcript.name, transcript.read_text(), cfroute)
