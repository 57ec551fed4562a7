"""The parts that most objects share, and what errors look like. Pure."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.validation.shapes import (
    MOMENT,
    TEXT,
    Schema,
    by_name,
    many,
    nullable,
    one_of,
    opened,
    ref,
    text,
    whole,
)

IDENTITY: Final = {"guid": text(shortest=1), "created_at": MOMENT, "updated_at": MOMENT}
WORD: Final = nullable(TEXT)
TEXTS: Final = many(TEXT)
NUMBER: Final = nullable(whole())
NAMED: Final = opened({"guid": TEXT, "name": TEXT})


def thing(fields: Mapping[str, Schema], *relationships: str, labelled: bool = True, **optional: Schema) -> Schema:
    """Something with a guid, times and links, and with relationships to one other thing each."""
    every = {**IDENTITY, **fields, "links": ref("Links")}
    if labelled:
        every["metadata"] = ref("Metadata")
    if relationships:
        every["relationships"] = opened({name: ref("ToOne") for name in relationships})
    return opened(every, **optional)


OBJECTS: Final[Mapping[str, Schema]] = {
    "Object": {"type": "object"},
    "Link": opened({"href": TEXT}, method=TEXT),
    "Links": by_name(nullable(ref("Link"))),
    "Metadata": opened({"labels": by_name(TEXT), "annotations": by_name(TEXT)}),
    "Guid": opened({"guid": TEXT}),
    "ToOne": opened({"data": nullable(ref("Guid"))}, links=ref("Links")),
    "ToMany": opened({"data": many(ref("Guid"))}, links=ref("Links")),
    "Error": opened({"code": whole(), "title": TEXT, "detail": TEXT}),
    "Errors": opened({"errors": many(ref("Error"), 1)}),
    "Pagination": opened(
        {
            "total_results": whole(0),
            "total_pages": whole(1),
            "first": ref("Link"),
            "last": ref("Link"),
            "next": nullable(ref("Link")),
            "previous": nullable(ref("Link")),
        }
    ),
    "LastOperation": opened(
        {
            "type": TEXT,
            "state": one_of("initial", "in progress", "succeeded", "failed"),
            "description": WORD,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        }
    ),
}
