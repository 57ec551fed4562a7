"""Answers of servers, which may be anybody's: JSON of the expected kind, or one sentence that says whose answer it was."""

from typing import Any

import httpx
import msgspec

from cfroute.errors import CfrouteError

SURPRISES = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError)
"""What code runs into that takes an answer for a good one."""
_SHOWN = 200  # characters of an answer that a person is shown


class UnexpectedAnswer(CfrouteError):
    """A server has answered, and not what its API promises: it is another one, or there is a proxy in between."""

    def __init__(self, asked: str, what: str) -> None:
        super().__init__(f"{asked}: the answer cannot be read: {what}", "--verbose shows requests and answers")


def question(answer: httpx.Response) -> str:
    """What was asked, as messages name it."""
    request = answer.request
    return f"{request.method} {str(request.url).partition('?')[0]}"


def read(answer: httpx.Response) -> Any:
    """The JSON of an answer. Raises UnexpectedAnswer."""
    try:
        return answer.json()
    except (ValueError, RecursionError) as error:
        told = f"{answer.status_code} {answer.reason_phrase}".strip()
        raise UnexpectedAnswer(question(answer), f"{told}, and no JSON: {shown(answer.text)}") from error


def read_object(answer: httpx.Response) -> dict[str, Any]:
    """The same of one that has to be an object."""
    value = read(answer)
    if not isinstance(value, dict):
        raise UnexpectedAnswer(question(answer), f"it is no JSON object: {shown(answer.text)}")
    return value


def read_list(answer: httpx.Response) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The resources of one page of a list, and the whole of it. Raises UnexpectedAnswer."""
    page = read_object(answer)
    resources = page.get("resources")
    if not (isinstance(resources, list) and all(isinstance(each, dict) for each in resources)):
        raise UnexpectedAnswer(question(answer), f"it has no list of resources: {shown(answer.text)}")
    return resources, page


def misread(asked: str, error: Exception) -> UnexpectedAnswer:
    """The failure of who took such an answer for a good one."""
    what = f"it has no {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
    return UnexpectedAnswer(asked, shown(what))


def shown(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
