"""The query parameters of an operation, from the listing that answers it."""

from typing import Any, Final

from cfroute.cloud_controller.listing import Listing
from cfroute.cloud_controller.openapi.operation import Operation
from cfroute.cloud_controller.query import DEFAULT_PAGE, LARGEST_PAGE
from cfroute.cloud_controller.validation.shapes import BOOLEAN, MOMENT, TEXT, Schema, many, one_of, whole

COMPARED: Final = ("created_ats", "updated_ats")
PAGING: Final = ("page", "per_page", "order_by")
_PAGE: Final = whole(1, 999_999_999) | {"default": 1}
_PER_PAGE: Final = whole(1, LARGEST_PAGE) | {"default": DEFAULT_PAGE}
_SPECIAL: Final[dict[str, Schema]] = {
    "page": _PAGE,
    "per_page": _PER_PAGE,
    "order_by": TEXT,
    "label_selector": TEXT,
    "available": BOOLEAN,
    "created_ats": many(MOMENT),
    "updated_ats": many(MOMENT),
    "embed": many(one_of("process_instances")),
}


def query_of(operation: Operation) -> dict[str, Schema]:
    """All query parameters with their schemas, in the order in which they are refused."""
    found: dict[str, Schema] = {}
    if operation.listing is not None:
        found |= _included(operation.listing) if operation.single else _listed(operation.listing)
    elif _is_page(operation):
        found |= {name: _SPECIAL[name] for name in PAGING}
    return found | dict(operation.query)


def _is_page(operation: Operation) -> bool:
    content = operation.answers.get(200)
    return content is not None and "pagination" in content.schema.get("properties", {})


def _listed(listing: Listing[Any]) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for name in listing.parameters:
        if name != "fields":  # which ones there are, the operation says
            found[name] = _schema(listing, name)
        if name in COMPARED:
            found |= {f"{name}[{operator}]": MOMENT for operator in ("lt", "lte", "gt", "gte")}
    return found


def _schema(listing: Listing[Any], name: str) -> Schema:
    if name == "include":
        return many(one_of(*listing.includes))
    if name == "order_by":
        return one_of(*(sign + each for each in ("created_at", "updated_at", *listing.order) for sign in ("", "+", "-")))
    return _SPECIAL.get(name, many(TEXT))


def _included(listing: Listing[Any]) -> dict[str, Schema]:
    return {"include": _schema(listing, "include")} if listing.includes else {}
