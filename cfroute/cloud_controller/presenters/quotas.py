"""Quotas, and what is used of them."""

from collections.abc import Mapping
from typing import Any

from cfroute.cloud_controller.models import Organization, OrganizationQuota, Quota, Space, SpaceQuota
from cfroute.cloud_controller.presenters.common import identity, to_one
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation.quotas import ORGANIZATION_SECTIONS, SPACE_SECTIONS, Sections


def quota(quota: OrganizationQuota | SpaceQuota, urls: Urls) -> dict[str, Any]:
    """A quota of either kind."""
    return organization_quota(quota, urls) if isinstance(quota, OrganizationQuota) else space_quota(quota, urls)


def organization_quota(quota: OrganizationQuota, urls: Urls) -> dict[str, Any]:
    """Without the organizations that it is applied to: who asks may not see them all."""
    return {
        **identity(quota),
        "name": quota.name,
        **_limits(quota, ORGANIZATION_SECTIONS),
        "relationships": {"organizations": {"data": []}},
        "links": {"self": urls.link(f"/organization_quotas/{quota.guid}")},
    }


def space_quota(quota: SpaceQuota, urls: Urls) -> dict[str, Any]:
    """Without the spaces that it is applied to: who asks may not see them all."""
    return {
        **identity(quota),
        "name": quota.name,
        **_limits(quota, SPACE_SECTIONS),
        "relationships": {"organization": to_one(quota.organization_guid), "spaces": {"data": []}},
        "links": {
            "self": urls.link(f"/space_quotas/{quota.guid}"),
            "organization": urls.link(f"/organizations/{quota.organization_guid}"),
        },
    }


def _limits(quota: Quota, sections: Sections) -> dict[str, Any]:
    return {section: {limit: getattr(quota, limit) for limit in limits} for section, limits in sections.items()}


def usage(place: Organization | Space, used: Mapping[str, int], urls: Urls) -> dict[str, Any]:
    """What an organization or a space uses; `used` by the names of the limits."""
    kind = "organization" if isinstance(place, Organization) else "space"
    path = f"/{kind}s/{place.guid}"
    return {
        "usage_summary": {
            "started_instances": used["total_instances"],
            "memory_in_mb": used["total_memory_in_mb"],
            "routes": used["total_routes"],
            "service_instances": used["total_service_instances"],
            "reserved_ports": used["total_reserved_ports"],
            "domains": used["total_domains"],
            "per_app_tasks": 0,  # there are no tasks
            "service_keys": used["total_service_keys"],
        },
        "links": {"self": urls.link(f"{path}/usage_summary"), kind: urls.link(path)},
    }
