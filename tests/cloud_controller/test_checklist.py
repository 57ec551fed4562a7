"""Every request that the official CLI was seen to send has somebody who answers it, with the query keys that it came with."""

import re
from typing import Any

import pytest
from starlette.routing import compile_path

from cfroute.cloud_controller.resources import ENDPOINTS

# Method, path, and the query with which the cf CLI asks.
SEEN = """
GET /
GET /v3
GET /v3/info
GET /uaa/login
POST /uaa/oauth/token
GET /uaa/Users ?filter=x
POST /uaa/Users
DELETE /uaa/Users/GUID
GET /routing/v1/router_groups ?name=x
GET /api/v1/info
GET /api/v1/read/GUID ?start_time=-6795364578871345152&envelope_types=LOG&limit=1000&descending=true
GET /v3/organizations ?names=x&order_by=name&page=1&per_page=1
POST /v3/organizations
GET /v3/organizations/GUID
DELETE /v3/organizations/GUID
GET /v3/organizations/GUID/domains ?label_selector=x
GET /v3/organizations/GUID/domains/default
GET /v3/organizations/GUID/relationships/default_isolation_segment
GET /v3/organization_quotas/GUID
GET /v3/organization_quotas ?names=x&page=1&per_page=1
POST /v3/organization_quotas
PATCH /v3/organization_quotas/GUID
DELETE /v3/organization_quotas/GUID
POST /v3/organization_quotas/GUID/relationships/organizations
GET /v3/space_quotas ?names=x&organization_guids=x&page=1&per_page=1
POST /v3/space_quotas
GET /v3/space_quotas/GUID
PATCH /v3/space_quotas/GUID
DELETE /v3/space_quotas/GUID
POST /v3/space_quotas/GUID/relationships/spaces
DELETE /v3/space_quotas/GUID/relationships/spaces/GUID
PATCH /v3/organizations/GUID
PATCH /v3/spaces/GUID
PATCH /v3/organizations/GUID/relationships/default_isolation_segment
PATCH /v3/spaces/GUID/relationships/isolation_segment
GET /v3/isolation_segments ?organization_guids=x
GET /v3/spaces ?names=x&guids=x&organization_guids=x&order_by=name&page=1&per_page=1
POST /v3/spaces
GET /v3/spaces/GUID/running_security_groups
GET /v3/spaces/GUID/staging_security_groups
GET /v3/spaces/GUID/relationships/isolation_segment
GET /v3/spaces/GUID/features
GET /v3/spaces/GUID/features/ssh
GET /v3/security_groups
POST /v3/spaces/GUID/manifest_diff
POST /v3/spaces/GUID/actions/apply_manifest
DELETE /v3/spaces/GUID/routes ?unmapped=true
POST /v3/users
GET /v3/users ?usernames=x&origins=uaa
DELETE /v3/users/GUID
GET /v3/roles ?include=user&organization_guids=x
GET /v3/roles ?include=user&space_guids=x
POST /v3/roles
DELETE /v3/roles/GUID
GET /v3/domains ?names=x&page=1&per_page=1
POST /v3/domains
DELETE /v3/domains/GUID
GET /v3/domains/GUID/route_reservations ?host=x&path=/x&port=1
POST /v3/domains/GUID/relationships/shared_organizations
DELETE /v3/domains/GUID/relationships/shared_organizations/GUID
GET /v3/routes ?domain_guids=x&hosts=&paths=&ports=1&space_guids=x&organization_guids=x&app_guids=x&label_selector=x
GET /v3/routes ?include=domain,space,space.organization&page=1&per_page=5000&service_instance_guids=x&guids=x
POST /v3/routes
GET /v3/routes/GUID ?include=domain
PATCH /v3/routes/GUID
DELETE /v3/routes/GUID
GET /v3/routes/GUID/destinations
POST /v3/routes/GUID/destinations
PATCH /v3/routes/GUID/destinations
PATCH /v3/routes/GUID/destinations/GUID
DELETE /v3/routes/GUID/destinations/GUID
GET /v3/routes/GUID/relationships/shared_spaces
POST /v3/routes/GUID/relationships/shared_spaces
DELETE /v3/routes/GUID/relationships/shared_spaces/GUID
PATCH /v3/routes/GUID/relationships/space
GET /v3/apps ?names=x&guids=x&space_guids=x&order_by=name&per_page=1
DELETE /v3/apps/GUID
POST /v3/apps/GUID/actions/start
POST /v3/apps/GUID/actions/stop
POST /v3/apps/GUID/actions/restart
GET /v3/apps/GUID/droplets/current
GET /v3/apps/GUID/env
PATCH /v3/apps/GUID/environment_variables
GET /v3/apps/GUID/manifest
GET /v3/apps/GUID/processes
GET /v3/apps/GUID/processes/web
GET /v3/apps/GUID/routes
POST /v3/apps/GUID/processes/web/actions/scale
DELETE /v3/apps/GUID/processes/web/instances/0
PATCH /v3/apps/GUID/relationships/current_droplet
GET /v3/processes ?app_guids=x&space_guids=x
GET /v3/processes ?embed=process_instances&space_guids=x
GET /v3/processes/GUID
PATCH /v3/processes/GUID
GET /v3/processes/GUID/stats
GET /v3/processes/GUID/sidecars
POST /v3/resource_matches
GET /v3/packages ?app_guids=x&guids=x&states=READY&order_by=-created_at&page=1&per_page=1
POST /v3/packages
GET /v3/packages/GUID
POST /v3/packages/GUID/upload
GET /v3/packages/GUID/droplets ?states=STAGED&page=1&per_page=1
POST /v3/builds
GET /v3/builds/GUID
POST /v3/droplets
GET /v3/droplets/GUID
POST /v3/droplets/GUID/upload
GET /v3/deployments ?app_guids=x&order_by=-created_at&page=1&per_page=1&status_values=ACTIVE
POST /v3/deployments
GET /v3/deployments/GUID
POST /v3/deployments/GUID/actions/cancel
POST /v3/deployments/GUID/actions/continue
GET /v3/apps/GUID/tasks ?sequence_ids=1&page=1&per_page=1
POST /v3/apps/GUID/tasks
GET /v3/apps/GUID/ssh_enabled
PATCH /v3/spaces/GUID/features/ssh
GET /v3/environment_variable_groups/running
PATCH /v3/environment_variable_groups/running
POST /v3/isolation_segments
POST /v3/security_groups
POST /v3/buildpacks
PATCH /v3/buildpacks/GUID
DELETE /v3/buildpacks/GUID
POST /v3/buildpacks/GUID/upload
PATCH /v3/stacks/GUID
GET /v3/tasks
GET /v3/tasks/GUID
GET /v3/jobs/GUID
GET /v3/service_instances ?names=x&space_guids=x&order_by=name&per_page=5000&fields[service_plan]=guid,name
POST /v3/service_instances
GET /v3/service_instances/GUID
PATCH /v3/service_instances/GUID
DELETE /v3/service_instances/GUID
GET /v3/service_instances/GUID/parameters
GET /v3/service_instances/GUID/relationships/shared_spaces
GET /v3/service_route_bindings ?route_guids=x&service_instance_guids=x&service_instance_names=x&include=service_instance
POST /v3/service_route_bindings
DELETE /v3/service_route_bindings/GUID
GET /v3/service_credential_bindings ?include=app&service_instance_guids=x&app_guids=x&type=app
POST /v3/service_credential_bindings
DELETE /v3/service_credential_bindings/GUID
GET /v3/service_brokers ?names=x
POST /v3/service_brokers
DELETE /v3/service_brokers/GUID
GET /v3/service_offerings ?names=x&service_broker_names=x&fields[service_broker]=name,guid
GET /v3/service_offerings/GUID
GET /v3/service_plans ?names=x&available=true&include=space.organization&space_guids=x&service_offering_guids=x
GET /v3/service_plans ?service_offering_names=x&service_broker_names=x&include=service_offering&per_page=5000
GET /v3/service_plans/GUID/visibility
POST /v3/service_plans/GUID/visibility
GET /v3/feature_flags
GET /v3/feature_flags/route_sharing
PATCH /v3/feature_flags/route_sharing
GET /v3/buildpacks ?order_by=position
GET /v3/stacks
GET /v3/audit_events ?order_by=-created_at&target_guids=x
"""
REQUESTS = [line.partition(" ?") for line in SEEN.split("\n") if line]
_PATTERNS = [(each.method, compile_path(each.path)[0]) for each in ENDPOINTS]


def _answered(method: str, path: str) -> bool:
    return any(method == known and re.match(pattern, path) for known, pattern in _PATTERNS)


@pytest.mark.parametrize("request_line", dict.fromkeys(line for line, _, _ in REQUESTS))
def test_every_request_has_an_endpoint(request_line: str) -> None:
    assert _answered(*request_line.split(" "))


def test_queries_of_the_cli_are_known(cc: Any) -> None:
    """Things that the paths name are not there, so only lists get as far as to look at their query."""
    for line, _, query in REQUESTS:
        method, path = line.split(" ")
        if query and method == "GET" and path.startswith("/v3/") and "GUID" not in path:
            answer = cc(method, f"{path}?{query}")
            assert answer.status_code == 200, (line, query, answer.text)
