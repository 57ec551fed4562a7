"""The parts that most objects share."""

from collections.abc import Iterable
from typing import Any

from cfroute.cloud_controller.models import CredentialBinding, Labelled, Resource, RouteBinding, ServiceInstance
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


def last_operation(thing: ServiceInstance | RouteBinding | CredentialBinding) -> dict[str, Any]:
    """What a broker has done of it last, or is doing; where none was asked, it was made at once."""
    found = thing.operation
    return _operation(found.type, found.state, found.description, found) if found else succeeded(thing)


def succeeded(thing: Resource, kind: str = "create", description: str = "") -> dict[str, Any]:
    """The last operation of what needs no broker."""
    return _operation(kind, "succeeded", description, thing)


def _operation(kind: str, state: str, description: str, times: Resource) -> dict[str, Any]:
    created, updated = iso(times.created_at), iso(times.updated_at)
    return {"type": kind, "state": state, "description": description, "created_at": created, "updated_at": updated}
