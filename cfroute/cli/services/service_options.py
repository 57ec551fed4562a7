"""Options that several commands for services have, and what is written there: parameters as JSON, tags, and waiting or not."""

import json
import sys
from pathlib import Path

from cfroute.cli.access.api import Resource
from cfroute.cli.options import option
from cfroute.errors import UsageError

wait_option = option("--wait", "-w", is_flag=True, help="Wait for the operation to complete")
tags_option = option("-t", "tags", help="User provided tags")
parameters_option = option(
    "-c",
    "parameters",
    help="Valid JSON object containing service-specific configuration parameters, provided inline or in a file",
)


def read_tags(text: str) -> list[str]:
    """`-t`: words between commas."""
    return [tag.strip() for tag in text.split(",") if tag.strip()]


def read_parameters(text: str | None) -> Resource | None:
    """`-c`. Raises UsageError for what is no JSON object."""
    if text is None:
        return None
    given = read_object(text)
    if given is None:
        raise UsageError(
            "Invalid configuration provided for -c flag. Please provide a valid JSON object or path to a file "
            "containing a valid JSON object."
        )
    return given


def read_object(text: str) -> Resource | None:
    """A JSON object given inline, in a file, or on stdin as `-`; None if the text is none of these."""
    try:
        value = json.loads(_document(text))
    except ValueError:  # a file that is no UTF-8 is one, too
        return None
    return value if isinstance(value, dict) else None


def _document(text: str) -> str | bytes:
    """What is to be read: the text itself, unless it is `-` or the name of a file. Raises OSError for one that is locked."""
    if text == "-":
        return sys.stdin.read()
    if text.lstrip().startswith("{") or not _is_file(text):
        return text
    return Path(text).read_bytes()


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than a name can be
        return False
