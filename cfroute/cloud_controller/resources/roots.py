"""The addresses that clients begin with. They need no token."""

from typing import Any

from cfroute import __version__
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get
from cfroute.cloud_controller.resources.uaa import PREFIX

# What clients take for the API's abilities. From 3.211 on they ask for `processes?embed=process_instances`.
API_VERSION = "3.211.0"

_COLLECTIONS = (
    "apps",
    "audit_events",
    "buildpacks",
    "builds",
    "deployments",
    "domains",
    "droplets",
    "feature_flags",
    "isolation_segments",
    "organization_quotas",
    "organizations",
    "packages",
    "processes",
    "resource_matches",
    "roles",
    "routes",
    "security_groups",
    "service_brokers",
    "service_credential_bindings",
    "service_instances",
    "service_offerings",
    "service_plans",
    "service_route_bindings",
    "space_quotas",
    "spaces",
    "stacks",
    "tasks",
    "users",
)


def root(call: Call) -> dict[str, Any]:
    base = call.urls.base
    uaa = base + PREFIX
    return {
        "links": {
            "self": {"href": base},
            "cloud_controller_v2": None,
            "cloud_controller_v3": {"href": f"{base}/v3", "meta": {"version": API_VERSION}},
            "network_policy_v0": None,
            "network_policy_v1": None,
            "login": {"href": uaa},
            "uaa": {"href": uaa},
            "credhub": None,
            "routing": {"href": f"{base}/routing"},
            "logging": None,
            # A bare origin: the clients of the log cache overwrite the path.
            "log_cache": {"href": base},
            "log_stream": None,
            "app_ssh": None,
        }
    }


def v3(call: Call) -> dict[str, Any]:
    links = {"self": {"href": f"{call.urls.base}/v3"}}
    return {"links": links | {name: call.urls.link(f"/{name}") for name in _COLLECTIONS}}


def info(call: Call) -> dict[str, Any]:
    return {
        "name": "cfroute",
        "build": __version__,
        "version": 0,
        "description": "A Cloud Foundry routing tier on one machine",
        "cli_version": {"minimum": "", "recommended": ""},
        "osbapi_version": "2.15",
        "rate_limits": {"enabled": False},
        "custom": {},
        "links": {"self": call.urls.link("/info"), "support": {"href": ""}},
    }


def health(call: Call) -> Reply:
    """Answers when the database does."""
    call.session.connection().exec_driver_sql("SELECT 1")
    return Reply(200, b"ok")


ENDPOINTS = (
    get("/", root, open=True),
    get("/v3", v3, open=True),
    get("/v3/info", info, open=True),
    get("/healthz", health, open=True),
)
