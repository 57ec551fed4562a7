"""Quotas: how much of what an organization, or one of its spaces, may have."""

from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cfroute.cloud_controller.models.base import NOCASE, Resource

DEFAULT_QUOTA: Final = "default-quota"
"""The guid of the quota that organizations have until they get another one."""


class Quota(Resource):
    """What both kinds limit, under the API's names; None is no limit. Memory in MiB."""

    __abstract__ = True

    name: Mapped[str] = mapped_column(NOCASE)
    total_memory_in_mb: Mapped[int | None]
    per_process_memory_in_mb: Mapped[int | None]
    total_instances: Mapped[int | None]
    per_app_tasks: Mapped[int | None]
    log_rate_limit_in_bytes_per_second: Mapped[int | None]
    paid_services_allowed: Mapped[bool] = mapped_column(default=True)
    total_service_instances: Mapped[int | None]
    total_service_keys: Mapped[int | None]
    total_routes: Mapped[int | None]
    total_reserved_ports: Mapped[int | None]


class OrganizationQuota(Quota):
    """For any number of organizations, each by itself."""

    __tablename__ = "organization_quotas"
    __table_args__ = (UniqueConstraint("name"),)

    total_domains: Mapped[int | None]


class SpaceQuota(Quota):
    """For any number of its organization's spaces, each by itself."""

    __tablename__ = "space_quotas"
    __table_args__ = (UniqueConstraint("organization_guid", "name"),)

    organization_guid: Mapped[str] = mapped_column(ForeignKey("organizations.guid", ondelete="CASCADE"))
