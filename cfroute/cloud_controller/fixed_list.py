"""Lists of things that are not in the database: filters, order and pages, as `listing` has them for the others."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cfroute.cloud_controller import labels
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.listing import pagination
from cfroute.cloud_controller.query import Query, is_true

Thing = dict[str, Any]
_NONE: Final[Mapping[str, str]] = {}


def page(
    call: Call,
    things: Sequence[Thing],
    filters: Mapping[str, str] = _NONE,
    *,
    order: Sequence[str] = ("created_at", "updated_at", "name"),
    labelled: bool = False,
) -> Reply:
    """The page of those that the query asks for.

    filters: by a parameter's name, the key whose value has to be among those that it lists. order: the keys that they can be
    ordered by; unasked they stay as they are. labelled: whether they can be selected by labels.
    """
    query = call.query
    query.refuse_unknown(["page", "per_page", "order_by", *(("label_selector",) if labelled else ()), *filters])
    number, size = query.window()
    found = _ordered([each for each in things if _matches(each, query, filters)], query, order)
    if "label_selector" in query:
        requirements = labels.parse(query.get("label_selector"))
        found = [each for each in found if labels.met(requirements, each["metadata"]["labels"])]
    return Reply(
        200,
        {
            "pagination": pagination(call.urls.base + call.location, query, len(found), number, size),
            "resources": found[(number - 1) * size : number * size],
        },
    )


def _matches(thing: Thing, query: Query, filters: Mapping[str, str]) -> bool:
    return all(_is_among(thing.get(key), name, query.values(name)) for name, key in filters.items() if name in query)


def _is_among(value: object, name: str, values: Sequence[str]) -> bool:
    return is_true(name, values) == value if isinstance(value, bool) else str(value) in values


def _ordered(things: list[Thing], query: Query, order: Sequence[str]) -> list[Thing]:
    if "order_by" not in query:
        return things
    name, descending = query.order(order)
    return sorted(things, key=lambda each: (each[name] is not None, each[name]), reverse=descending)
