"""Making and changing quotas, and saying where they are applied."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import literal_column, select

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.models import Organization, Quota, Space
from cfroute.cloud_controller.validation.quotas import Sections


def set_limits(quota: Quota, body: Mapping[str, Any], sections: Sections) -> None:
    """Take over what a good body gives; null lifts a limit."""
    if "name" in body:
        quota.name = body["name"]
    for section, limits in sections.items():
        for limit in limits:
            if limit in body.get(section, {}):
                value = body[section][limit]
                setattr(quota, limit, value is not False if limit == "paid_services_allowed" else value)


def show_where(call: Call, quotas: Iterable[dict[str, Any]], model: type[Organization] | type[Space]) -> None:
    """Put the guids of those that they are applied to, and that the user sees, into presented quotas."""
    shown = {quota["guid"]: quota["relationships"][model.__tablename__]["data"] for quota in quotas}
    found = select(model.quota_guid, model.guid).where(model.quota_guid.in_(list(shown)), *call.visible(model))
    for quota, guid in call.session.execute(found.order_by(model.created_at, literal_column(f"{model.__tablename__}.rowid"))):
        shown[quota].append({"guid": guid})


def listed(guids: Iterable[str]) -> str:
    """`["a", "b"]`."""
    return "[" + ", ".join(f'"{guid}"' for guid in guids) + "]"
