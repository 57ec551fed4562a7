"""Sharing something with other spaces than its own: with which, and whether one may."""

from collections.abc import Sequence

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.models import Space
from cfroute.cloud_controller.query import quoted
from cfroute.cloud_controller.validation.common import data_problems


def named(call: Call) -> list[str]:
    """The guids of the spaces that the request names, each once. Raises 10008 for a bad body."""
    body = call.body
    refuse_if(data_problems(body))
    return list(dict.fromkeys(each["guid"] for each in body["data"]))


def targets(call: Call, kind: str, name: str, guids: Sequence[str]) -> list[Space]:
    """The spaces of these guids. Raises 10008 unless the user may share things with all of them.

    kind: what is to be shared, and name: which one, for the message.
    """
    spaces, missing = call.several(Space, guids)
    unwritable = [space.guid for space in spaces if not call.may_at(space)]
    writing = f"Write permission is required in order to share a {kind} with a space"
    problems = (
        (missing, "Ensure the spaces exist and that you have access to them."),
        (unwritable, f"{writing} and the containing organization must not be suspended."),
    )
    texts = [f"Unable to share {kind} {name} with spaces [{quoted(each)}]. {text}" for each, text in problems if each]
    if texts:
        raise unprocessable("\n".join(texts))
    return spaces
