"""What is done with quotas of both kinds alike: showing, changing and deleting them, applying them and saying where they are."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, literal_column, select

from cfroute.cloud_controller.actions import jobs
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.listing import Listing
from cfroute.cloud_controller.models import Organization, OrganizationQuota, Space, SpaceQuota
from cfroute.cloud_controller.presenters import quotas as present
from cfroute.cloud_controller.validation.quotas import Sections

Quota = OrganizationQuota | SpaceQuota
Place = Organization | Space
Q = TypeVar("Q", OrganizationQuota, SpaceQuota)


def page(call: Call, listing: Listing[Q]) -> Reply:
    """The page of quotas that the query asks for."""
    reply = listing.page(call)
    _show_where(call, reply.body["resources"], _places(listing.model))
    return reply


def shown(call: Call, quota: Quota) -> dict[str, Any]:
    """The quota as answers have it."""
    call.session.flush()
    answer = present.quota(quota, call.urls)
    _show_where(call, [answer], _places(type(quota)))
    return answer


def _places(model: type[Quota]) -> type[Organization] | type[Space]:
    """What such quotas are applied to."""
    return Organization if model is OrganizationQuota else Space


def _show_where(call: Call, quotas: Iterable[dict[str, Any]], places: type[Organization] | type[Space]) -> None:
    """Put the guids of those that they are applied to, and that the user sees, into presented quotas."""
    where = {quota["guid"]: quota["relationships"][places.__tablename__]["data"] for quota in quotas}
    found = select(places.quota_guid, places.guid).where(places.quota_guid.in_(list(where)), *call.visible(places))
    for quota, guid in call.session.execute(found.order_by(places.created_at, literal_column(f"{places.__tablename__}.rowid"))):
        where[quota].append({"guid": guid})


def take_over(call: Call, quota: Quota, body: Mapping[str, Any], sections: Sections, *beside: ColumnElement[bool]) -> None:
    """Take over what a good body gives; null lifts a limit.

    Raises 10008 when another quota, of those for which `beside` holds, has the name.
    """
    if "name" in body:
        model = type(quota)
        same = select(model.guid).where(model.name == body["name"], model.guid != quota.guid, *beside)
        if call.session.scalars(same).first():
            raise unprocessable(f"{_kind(quota).replace('_', ' ').title()} '{body['name']}' already exists.")
        quota.name = body["name"]
    for section, limits in sections.items():
        for limit in limits:
            if limit in body.get(section, {}):
                value = body[section][limit]
                setattr(quota, limit, value is not False if limit == "paid_services_allowed" else value)


def apply(call: Call, quota: Quota, places: Iterable[Place]) -> None:
    """Give it to these organizations, or spaces."""
    for place in places:
        place.quota_guid = quota.guid
        tell(call, quota, "apply", place)


def applied(call: Call, quota: Quota) -> dict[str, Any]:
    """The answer to applying it: where it is applied by now."""
    places = _places(type(quota)).__tablename__
    link = call.urls.link(f"/{_kind(quota)}s/{quota.guid}/relationships/{places}")
    return {"data": shown(call, quota)["relationships"][places]["data"], "links": {"self": link}}


def remove(call: Call, quota: Quota, in_use: str) -> Reply:
    """Delete it. Raises 10008 with `in_use` while it is applied to anything."""
    places = _places(type(quota))
    if call.session.scalars(select(places.guid).where(places.quota_guid == quota.guid).limit(1)).first():
        raise unprocessable(in_use)
    tell(call, quota, "delete")
    call.session.delete(quota)
    return jobs.accepted(call, f"{_kind(quota)}.delete")


def tell(call: Call, quota: Quota, action: str, place: Place | None = None) -> None:
    """Write an audit event of what was done to the quota, and where."""
    space = place.guid if isinstance(place, Space) else None
    organization = place.guid if isinstance(place, Organization) else None
    call.audit(f"{_kind(quota)}.{action}", quota, quota.name, space, organization)


def _kind(quota: Quota) -> str:
    """`organization_quota` or `space_quota`."""
    return str(quota.__tablename__).removesuffix("s")


def listed(guids: Iterable[str]) -> str:
    """`["a", "b"]`."""
    return "[" + ", ".join(f'"{guid}"' for guid in guids) + "]"
