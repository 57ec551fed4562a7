"""What can be switched off."""

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import FEATURE_DISABLED, NOT_AUTHENTICATED, ApiError
from cfroute.cloud_controller.models import FeatureFlag

DEFAULTS = {
    "app_bits_upload": True,
    "app_scaling": True,
    "diego_cnb": False,
    "diego_docker": False,
    "env_var_visibility": True,
    "hash_based_routing": False,
    "hide_marketplace_from_unauthenticated_users": False,
    "private_domain_creation": True,
    "resource_matching": True,
    "route_creation": True,
    "route_sharing": False,
    "service_instance_creation": True,
    "service_instance_sharing": False,
    "set_roles_by_username": True,
    "space_developer_env_var_visibility": True,
    "space_scoped_private_broker_creation": True,
    "task_creation": True,
    "unset_roles_by_username": True,
    "user_org_creation": False,
}


def enabled(call: Call, name: str) -> bool:
    flag = call.session.get(FeatureFlag, name)
    return flag.enabled if flag else DEFAULTS[name]


def require(call: Call, name: str, *, but_admins: bool = False) -> None:
    """Raise 330002 when the flag is off (with `but_admins`, for admins it never is)."""
    if (but_admins and call.user.admin) or enabled(call, name):
        return
    flag = call.session.get(FeatureFlag, name)
    reason = flag.error_message if flag and flag.error_message else name
    raise ApiError(FEATURE_DISABLED, f"Feature Disabled: {reason}")


def refuse_strangers(call: Call) -> None:
    """Raise 10002 for whoever has no token when the marketplace is hidden from those."""
    if not call.user.may_read and enabled(call, "hide_marketplace_from_unauthenticated_users"):
        raise ApiError(NOT_AUTHENTICATED)
