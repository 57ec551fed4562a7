"""The parts that most objects share."""

from collections.abc import Iterable
from typing import Any

from cfroute.cloud_controller.models import Labelled, Operation, Resource
from cfroute.cloud_controller.times import iso
from cfroute.cloud_controller.urls import Urls


def identity(thing: Resource) -> dict[str, Any]:
    return {"guid": thing.guid, "created_at": iso(thing.created_at), "updated_at": iso(thing.updated_at)}


def metadata(thing: Labelled) -> dict[str, Any]:
    return {"labels": thing.labels, "annotations": thing.annotations}


def to_one(guid: str | None) -> dict[str, Any]:
    return {"data": {"guid": guid} if guid else None}


def to_many(things: Iterable[Resource], path: str, urls: Urls) -> dict[str, Any]:
    """A relationship to several, as it is answered alone; `path` is where."""
    return {"data": [{"guid": thing.guid} for thing in things], "links": {"self": urls.link(path)}}


def operation(operation: Operation) -> dict[str, Any]:
    """The last operation of what a broker has made, or is making."""
    return {
        "type": operation.type,
        "state": operation.state,
        "description": operation.description,
        "created_at": iso(operation.created_at),
        "updated_at": iso(operation.updated_at),
    }


def last_operation(thing: Resource, kind: str = "create", description: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "state": "succeeded",
        "description": description,
        "created_at": iso(thing.created_at),
        "updated_at": iso(thing.updated_at),
    }
