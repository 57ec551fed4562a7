"""What a real platform has and this one answers for with what never changes: stacks, buildpacks, security groups."""

from typing import Any

from cfroute.cloud_controller.buildpacks import BUILDPACKS, STACK
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, patch, post
from cfroute.cloud_controller.errors import not_found, refuse_if, unprocessable
from cfroute.cloud_controller.fixed_list import page
from cfroute.cloud_controller.models import App, Organization, Process, Space
from cfroute.cloud_controller.presenters.common import to_one
from cfroute.cloud_controller.times import iso
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation.common import to_one as to_one_problems
from cfroute.cloud_controller.validation.common import unknown_fields


def _constant(urls: Urls, kind: str, guid: str, **fields: Any) -> dict[str, Any]:
    return {
        "guid": guid,
        "created_at": iso(0),
        "updated_at": iso(0),
        **fields,
        "metadata": {"labels": {}, "annotations": {}},
        "links": {"self": urls.link(f"/{kind}/{guid}")},
    }


def stacks(call: Call) -> Reply:
    stack = _constant(call.urls, "stacks", STACK, name=STACK, description="This machine", default=True)
    return page(call, [stack], {"names": "name", "guids": "guid", "default": "default"}, labelled=True)


def buildpacks(call: Call) -> Reply:
    found = [
        _constant(
            call.urls,
            "buildpacks",
            name,
            name=name,
            stack=STACK,
            position=position,
            state="READY",
            enabled=True,
            locked=False,
            filename=None,
            lifecycle="buildpack",
        )
        for position, name in enumerate(BUILDPACKS, start=1)
    ]
    filters = {"names": "name", "stacks": "stack", "lifecycle": "lifecycle"}
    return page(call, found, filters, order=("position", "name", "created_at", "updated_at"), labelled=True)


def nothing(call: Call) -> Reply:
    """A list that is always empty."""
    known = ["names", "guids", "organization_guids", "space_guids", "app_guids", "status_values", "states"]
    return page(call, [], dict.fromkeys(known, ""))


def no_sidecars(call: Call) -> Reply:
    call.the(App if "/apps/" in call.location else Process)
    return nothing(call)


def no_tasks(call: Call) -> Reply:
    call.the(App)
    return nothing(call)


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


_SSH = {"name": "ssh", "description": "Enable SSHing into apps in the space.", "enabled": False}


def ssh_feature(call: Call) -> dict[str, Any]:
    call.the(Space)
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
    get("/v3/stacks", stacks),
    get("/v3/buildpacks", buildpacks),
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
    get("/v3/processes/{guid}/sidecars", no_sidecars),
    get("/v3/apps/{guid}/sidecars", no_sidecars),
    get("/v3/tasks", nothing),
    get("/v3/apps/{guid}/tasks", no_tasks),
    get("/v3/tasks/{guid}", no_task),
    post("/v3/resource_matches", resource_matches),
)
