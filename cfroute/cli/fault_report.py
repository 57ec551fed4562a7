"""What is left behind when cfroute fails by a fault of its own: a report that can be sent. Nothing is sent from here."""

import platform
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from cfroute import __version__
from cfroute.home import Home, write_secretly

_OPTION = re.compile(r"--[a-z][a-z-]*(?=$|=)|-[A-Za-z]")

_REPORT = """\
# {kind}: {message}

<!-- What did you do, and what did you expect? Look through the rest before you send it: names of yours may be in it. -->

- command: `cfroute {command}`
- cfroute {version}, Python {python}, {platform}

```
{traceback}```
"""


def write(error: BaseException, arguments: list[str], home: Home, now: float) -> Path:
    """The file with the report; `arguments` are told without their values. Raises OSError where it cannot be written."""
    home.create()
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = home.logs / f"fault-{stamp}.md"
    text = _REPORT.format(
        kind=type(error).__name__,
        message=error,
        command=" ".join(shown(arguments)),
        version=__version__,
        python=".".join(map(str, sys.version_info[:3])),
        platform=platform.platform(),
        traceback="".join(traceback.format_exception(error)),
    )
    write_secretly(path, text.encode(), durable=False)
    return path


def shown(arguments: list[str]) -> list[str]:
    """The names of commands and options; whatever is the user's own is `…`."""
    from cfroute.cli.catalog import ALIASES, ENTRIES

    known = {*ALIASES, *(word for name in ENTRIES for word in name.split())}
    return [each if each in known else _option(each) for each in arguments]


def _option(word: str) -> str:
    """The name of an option without a value that is written together with it: `--path=x`, `-psecret`."""
    found = _OPTION.match(word)
    return found[0] if found else "…"
