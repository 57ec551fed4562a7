"""Organizations, spaces and domains."""

from typing import Any

from cfroute.cloud_controller.models import Domain, Organization, Space
from cfroute.cloud_controller.presenters.common import identity, metadata, to_one
from cfroute.cloud_controller.urls import Urls


def organization(organization: Organization, urls: Urls) -> dict[str, Any]:
    path = f"/organizations/{organization.guid}"
    return {
        **identity(organization),
        "name": organization.name,
        "suspended": organization.suspended,
        "relationships": {"quota": to_one(organization.quota_guid)},
        "metadata": metadata(organization),
        "links": {
            "self": urls.link(path),
            "domains": urls.link(f"{path}/domains"),
            "default_domain": urls.link(f"{path}/domains/default"),
            "quota": urls.link(f"/organization_quotas/{organization.quota_guid}"),
        },
    }


def space(space: Space, urls: Urls) -> dict[str, Any]:
    path = f"/spaces/{space.guid}"
    quota = {"quota": urls.link(f"/space_quotas/{space.quota_guid}")} if space.quota_guid else {}
    return {
        **identity(space),
        "name": space.name,
        "relationships": {"organization": to_one(space.organization_guid), "quota": to_one(space.quota_guid)},
        "metadata": metadata(space),
        "links": {
            "self": urls.link(path),
            "organization": urls.link(f"/organizations/{space.organization_guid}"),
            "features": urls.link(f"{path}/features"),
            "apply_manifest": urls.link(f"{path}/actions/apply_manifest", "POST"),
            **quota,
        },
    }


def domain(domain: Domain, urls: Urls) -> dict[str, Any]:
    path = f"/domains/{domain.guid}"
    links = {"self": urls.link(path), "route_reservations": urls.link(f"{path}/route_reservations")}
    if domain.organization_guid:
        links["organization"] = urls.link(f"/organizations/{domain.organization_guid}")
        links["shared_organizations"] = urls.link(f"{path}/relationships/shared_organizations")
    if domain.router_group_guid:
        links["router_group"] = {"href": f"{urls.base}/routing/v1/router_groups/{domain.router_group_guid}"}
    return {
        **identity(domain),
        "name": domain.name,
        "internal": domain.internal,
        "router_group": {"guid": domain.router_group_guid} if domain.router_group_guid else None,
        "supported_protocols": ["tcp" if domain.tcp else "http"],
        "relationships": {
            "organization": to_one(domain.organization_guid),
            "shared_organizations": {"data": [{"guid": each.guid} for each in domain.shared_organizations]},
        },
        "metadata": metadata(domain),
        "links": links,
    }
