"""What apps are built with, and on what: stacks and buildpacks, which come with the foundation."""

from typing import Any

from cfroute.cloud_controller.buildpacks import BUILDPACKS, STACK
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get
from cfroute.cloud_controller.errors import not_found
from cfroute.cloud_controller.fixed_list import Thing, page
from cfroute.cloud_controller.times import iso
from cfroute.cloud_controller.urls import Urls


def _constant(urls: Urls, kind: str, guid: str, **fields: Any) -> Thing:
    return {
        "guid": guid,
        "created_at": iso(0),
        "updated_at": iso(0),
        **fields,
        "metadata": {"labels": {}, "annotations": {}},
        "links": {"self": urls.link(f"/{kind}/{guid}")},
    }


def _stacks(urls: Urls) -> list[Thing]:
    fields = {"description": "This machine", "default": True, "state": "ACTIVE", "state_reason": None}
    return [_constant(urls, "stacks", STACK, name=STACK, **fields)]


def stacks(call: Call) -> Reply:
    return page(call, _stacks(call.urls), {"names": "name", "guids": "guid", "default": "default"}, labelled=True)


def _the(call: Call, things: list[Thing], name: str) -> Thing:
    """The one that the path names. Raises 404."""
    for each in things:
        if each["guid"] == call.path["guid"]:
            return each
    raise not_found(name)


def stack(call: Call) -> Thing:
    return _the(call, _stacks(call.urls), "Stack")


def _buildpacks(urls: Urls) -> list[Thing]:
    return [
        _constant(
            urls,
            "buildpacks",
            name,
            name=name,
            stack=STACK,
            position=position,
            state="READY",
            enabled=True,
            locked=False,
            filename=None,
            lifecycle="buildpack",
        )
        for position, name in enumerate(BUILDPACKS, start=1)
    ]


def buildpacks(call: Call) -> Reply:
    filters = {"names": "name", "stacks": "stack", "lifecycle": "lifecycle"}
    order = ("position", "name", "created_at", "updated_at")
    return page(call, _buildpacks(call.urls), filters, order=order, labelled=True)


def buildpack(call: Call) -> Thing:
    return _the(call, _buildpacks(call.urls), "Buildpack")


ENDPOINTS = (
    get("/v3/stacks", stacks),
    get("/v3/stacks/{guid}", stack),
    get("/v3/buildpacks", buildpacks),
    get("/v3/buildpacks/{guid}", buildpack),
)
