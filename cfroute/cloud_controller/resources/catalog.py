"""What a real platform has and this one answers for with what never changes: security groups, tasks, isolation segments."""

from typing import Any

from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, patch, post
from cfroute.cloud_controller.errors import not_found, refuse_if, unprocessable
from cfroute.cloud_controller.fixed_list import Thing, page
from cfroute.cloud_controller.models import App, Organization, Process, Space
from cfroute.cloud_controller.presenters.common import to_one
from cfroute.cloud_controller.resources.app_features import NO_SSH
from cfroute.cloud_controller.validation.apps import feature_problems
from cfroute.cloud_controller.validation.common import to_one as to_one_problems
from cfroute.cloud_controller.validation.common import unknown_fields


def nothing(call: Call) -> Reply:
    """A list that is always empty."""
    known = ["names", "guids", "organization_guids", "space_guids", "app_guids", "status_values", "states"]
    return page(call, [], dict.fromkeys(known, ""))


def no_sidecars(call: Call) -> Reply:
    call.the(App if "/apps/" in call.location else Process)
    return nothing(call)


def no_tasks(call: Call) -> Reply:
    call.the(App)
    return page(call, [], dict.fromkeys(("names", "guids", "states", "sequence_ids"), ""))


def no_task(call: Call) -> Reply:
    """There are no tasks."""
    raise not_found("Task")


def no_isolation_segment(call: Call) -> dict[str, Any]:
    call.the(Organization if "/organizations/" in call.location else Space)
    return to_one(None)


def set_isolation_segment(call: Call) -> dict[str, Any]:
    """None is what it has, and there is no other one."""
    is_organization = "/organizations/" in call.location
    call.the(Organization if is_organization else Space)
    body = call.body
    refuse_if(to_one_problems(body, "data"))
    if body["data"] is not None:
        entitled = "the organization" if is_organization else "the organization that this space belongs to"
        raise unprocessable(
            f"Unable to assign isolation segment with guid '{body['data']['guid']}'. Ensure it has been entitled to {entitled}."
        )
    return to_one(None)


def isolation_segment(call: Call) -> dict[str, Any]:
    """There is none."""
    raise not_found("Isolation segment")


def variable_group(call: Call) -> Thing:
    """No variables, for all apps."""
    name = call.location.rpartition("/")[2]
    links = {"self": call.urls.link(f"/environment_variable_groups/{name}")}
    return {"name": name, "var": {}, "updated_at": None, "links": links}


_SSH = {"name": "ssh", "description": "Enable SSHing into apps in the space.", "enabled": False}


def ssh_feature(call: Call) -> dict[str, Any]:
    call.the(Space)
    return _SSH


def set_ssh_feature(call: Call) -> dict[str, Any]:
    """It is off, and stays so."""
    call.the(Space)
    body = call.body
    refuse_if(feature_problems(body))
    if body["enabled"]:
        raise unprocessable(NO_SSH)
    return _SSH


def space_features(call: Call) -> dict[str, Any]:
    """All that there are."""
    call.the(Space)
    return {"features": [_SSH]}


def security_groups(call: Call) -> Reply:
    """There are none: instances reach what the machine reaches."""
    everywhere = ("globally_enabled_running", "globally_enabled_staging")
    for name in everywhere:
        call.query.flag(name)
    return page(call, [], dict.fromkeys(("names", "guids", "running_space_guids", "staging_space_guids", *everywhere), ""))


def no_security_groups(call: Call) -> Reply:
    """Those of a space."""
    call.the(Space)
    return page(call, [], {"names": "name", "guids": "guid"})


def resource_matches(call: Call) -> Reply:
    """Nothing is known beforehand: every file is uploaded."""
    body = call.body
    problems = unknown_fields(body, ("resources",))
    refuse_if(problems if isinstance(body.get("resources"), list) else [*problems, "Resources must be an array"])
    return Reply(201, {"resources": []})


ENDPOINTS = (
    get("/v3/environment_variable_groups/running", variable_group),
    get("/v3/environment_variable_groups/staging", variable_group),
    get("/v3/organizations/{guid}/relationships/default_isolation_segment", no_isolation_segment),
    get("/v3/spaces/{guid}/relationships/isolation_segment", no_isolation_segment),
    patch("/v3/organizations/{guid}/relationships/default_isolation_segment", set_isolation_segment),
    patch("/v3/spaces/{guid}/relationships/isolation_segment", set_isolation_segment),
    get("/v3/isolation_segments", nothing),
    get("/v3/isolation_segments/{guid}", isolation_segment),
    get("/v3/spaces/{guid}/running_security_groups", no_security_groups),
    get("/v3/spaces/{guid}/staging_security_groups", no_security_groups),
    get("/v3/security_groups", security_groups),
    get("/v3/spaces/{guid}/features", space_features),
    get("/v3/spaces/{guid}/features/ssh", ssh_feature),
    patch("/v3/spaces/{guid}/features/ssh", set_ssh_feature),
    get("/v3/processes/{guid}/sidecars", no_sidecars),
    get("/v3/apps/{guid}/sidecars", no_sidecars),
    get("/v3/tasks", nothing),
    get("/v3/apps/{guid}/tasks", no_tasks),
    get("/v3/tasks/{guid}", no_task),
    post("/v3/resource_matches", resource_matches),
)
