"""What is told of one line of the API: what it takes, and what it answers when it does what it was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from cfroute.cloud_controller.listing import Listing
from cfroute.cloud_controller.query import Fields
from cfroute.cloud_controller.validation.shapes import (
    ANYTHING,
    BOOLEAN,
    TEXT,
    Schema,
    either,
    many,
    one_of,
    opened,
    ref,
    text,
    whole,
)

JSON: Final = "application/json"
YAML: Final = "application/x-yaml"
BYTES: Final = "application/octet-stream"


class Content(NamedTuple):
    """A body: its media type, and what it looks like."""

    type: str
    schema: Schema = ANYTHING


NOTHING: Final = Content("")


@dataclass(frozen=True)
class Operation:
    """answers: by status; None: the address of a job, in `Location`.

    listing: what answers, with its parameters; query: further ones; single: one thing of the listing is shown, not a page.
    """

    answers: Mapping[int, Content | None]
    takes: Content | None = None
    listing: Listing[Any] | None = None
    single: bool = False
    query: Mapping[str, Schema] = field(default_factory=dict)

    def or_job(self) -> "Operation":
        """The same; but where a broker has to be asked, a job is answered that does it."""
        return replace(self, answers={**self.answers, 202: None})


PURGE: Final[Mapping[str, Schema]] = {"purge": BOOLEAN}


def lists(*names: str) -> dict[str, Schema]:
    """Parameters that are lists with commas."""
    return dict.fromkeys(names, many(TEXT))


def number(least: int, most: int) -> Schema:
    """A parameter that is such a number, or empty."""
    return either(whole(least, most), text(0))


def fields(allowed: Fields) -> dict[str, Schema]:
    """Parameters that ask for some keys of related objects."""
    return {f"fields[{name}]": many(one_of(*keys)) for name, keys in allowed.items()}


def page(name: str, listing: Listing[Any] | None = None, /, **query: Schema) -> Operation:
    """A page of things of that name: what the listing finds, or else all that there are, filtered by the query."""
    always = {"pagination": ref("Pagination"), "resources": many(ref(name))}
    schema = opened(always, included={"type": "object", "additionalProperties": many({"type": "object"})})
    return Operation({200: Content(JSON, schema)}, listing=listing, query=query)


def one(name: str, listing: Listing[Any] | None = None, query: Mapping[str, Schema] | None = None) -> Operation:
    """One thing; with a listing, those things can be included that can be in its lists."""
    return Operation({200: Content(JSON, ref(name))}, listing=listing, single=True, query=query or {})


def made(name: str, takes: Schema, query: Mapping[str, Schema] | None = None) -> Operation:
    """A new thing, from such a body."""
    return Operation({201: Content(JSON, ref(name))}, Content(JSON, takes), query=query or {})


def changed(name: str, takes: Schema | None = None, status: int = 200) -> Operation:
    """A thing as it is after a change."""
    return Operation({status: Content(JSON, ref(name))}, Content(JSON, takes) if takes is not None else None)


def job(query: Mapping[str, Schema] | None = None) -> Operation:
    """Done, or begun: the job says."""
    return Operation({202: None}, query=query or {})


def gone(query: Mapping[str, Schema] | None = None) -> Operation:
    """Done, and there is nothing to say."""
    return Operation({204: NOTHING}, query=query or {})


def refused() -> Operation:
    """Never done: the refusal has the reason."""
    return Operation({})


def file(media: str) -> Operation:
    """Something that is not JSON."""
    return Operation({200: Content(media, {"type": "object"} if media == YAML else ANYTHING)})
