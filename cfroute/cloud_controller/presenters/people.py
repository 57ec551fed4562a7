"""Users and roles."""

from collections.abc import Mapping
from typing import Any

from cfroute.cloud_controller.models import Person, Role
from cfroute.cloud_controller.presenters.common import identity, metadata, to_one
from cfroute.cloud_controller.uaa.names import Name
from cfroute.cloud_controller.urls import Urls


def user(person: Person, urls: Urls) -> dict[str, Any]:
    """A user whose name is not known yet."""
    return {
        **identity(person),
        "username": None,
        "presentation_name": person.guid,
        "origin": None,
        "metadata": metadata(person),
        "links": {"self": urls.link(f"/users/{person.guid}")},
    }


def name_all(users: list[dict[str, Any]], names: Mapping[str, Name]) -> None:
    """Put in what the UAA calls them; clients have no name."""
    for each in users:
        if known := names.get(each["guid"]):
            each.update(username=known.username, presentation_name=known.username, origin=known.origin)


def role(role: Role, urls: Urls) -> dict[str, Any]:
    links = {"self": urls.link(f"/roles/{role.guid}"), "user": urls.link(f"/users/{role.user_guid}")}
    if role.organization_guid:
        links["organization"] = urls.link(f"/organizations/{role.organization_guid}")
    if role.space_guid:
        links["space"] = urls.link(f"/spaces/{role.space_guid}")
    return {
        **identity(role),
        "type": role.type,
        "relationships": {
            "user": to_one(role.user_guid),
            "organization": to_one(role.organization_guid),
            "space": to_one(role.space_guid),
        },
        "links": links,
    }
