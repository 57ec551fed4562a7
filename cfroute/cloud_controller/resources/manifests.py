"""Manifests: applying them, comparing them, writing them"""

from typing import Any

import yaml
from sqlalchemy import select

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import apps, jobs, manifests
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, knowing_router_groups, post
from cfroute.cloud_controller.errors import (
    BAD_REQUEST,
    FEATURE_DISABLED,
    NOT_AUTHORIZED,
    PARSE_ERROR,
    ApiError,
    unprocessable,
)
from cfroute.cloud_controller.manifests import manifest
from cfroute.cloud_controller.manifests.diff import diff
from cfroute.cloud_controller.manifests.manifest import AppManifest, ManifestError
from cfroute.cloud_controller.models import App, CredentialBinding, Job, Space
from cfroute.cloud_controller.presenters.manifest import application

_YAML = "application/x-yaml"


def apply(call: Call) -> Reply:
    """Apps that do not exist are created here; the rest is told through the job, which is done already."""
    space = call.the(Space)
    wanted = _parsed(call)
    if flags := [flag for each in wanted for flag in each.flags]:
        raise ApiError(FEATURE_DISABLED, f"Feature Disabled: {flags[0]}")
    for each in wanted:
        if _find(call, space, each.name) is None:
            apps.create_app(call, each.name, space)
    reply = jobs.accepted(call, "space.apply_manifest", _apply_all(call, space, wanted))
    if left_out := dict.fromkeys(name for each in wanted for name in each.left_out):
        job = call.session.get_one(Job, reply.headers["Location"].rpartition("/")[2])
        job.warnings = [{"detail": f"{name} are not supported by this foundation; they were left out."} for name in left_out]
    return reply


def _needs_ports(call: Call) -> bool:
    call.the(Space)  # who may not apply anything here need not know what is wrong with it
    return any(route.port and manifests.is_new(call, route) for each in _parsed(call) for route in each.routes)


def _apply_all(call: Call, space: Space, wanted: list[AppManifest]) -> list[dict[str, Any]]:
    """Apply one after the other; the errors of the first that fails, of which nothing is kept."""
    for each in wanted:
        app = _find(call, space, each.name)
        assert app is not None
        try:
            with call.session.begin_nested():
                manifests.apply(call, app, each)
        except ApiError as error:
            if error.kind is NOT_AUTHORIZED:
                return error.entries
            return unprocessable(*(f"For application '{each.name}': {detail}" for detail in error.details)).entries
    return []


def _find(call: Call, space: Space, name: str) -> App | None:
    return call.session.scalars(select(App).where(App.space_guid == space.guid, App.name == name)).first()


def _parsed(call: Call) -> list[AppManifest]:
    _refuse_other_types(call)
    try:
        return manifest.parse(call.raw, hashing=feature_flags.enabled(call, "hash_based_routing"))
    except ManifestError as error:
        raise _refusal(error) from error


def _refuse_other_types(call: Call) -> None:
    kind = call.content_type.partition(";")[0].strip().lower()
    if kind not in (_YAML, "text/x-yaml", "application/yaml", "text/yaml"):
        raise ApiError(BAD_REQUEST, "Bad request: Content-Type must be yaml")


def _refusal(error: ManifestError) -> ApiError:
    return unprocessable(*error.messages) if error.messages else ApiError(PARSE_ERROR)


def show_diff(call: Call) -> Reply:
    space = call.the(Space)
    _refuse_other_types(call)
    try:
        wanted = manifest.named_applications(call.raw)
    except ManifestError as error:
        raise _refusal(error) from error
    existing = {}
    for each in wanted:
        app = _find(call, space, str(each.get("name")))
        if app is not None:
            existing[str(each["name"])] = _flat(_written(call, app))
    return Reply(201, {"diff": diff(wanted, existing)})


def _flat(app: dict[str, Any]) -> dict[str, Any]:
    """The app with the settings of its web process at the top, and underscores in the keys."""
    underscored = manifest.underscored(app)
    web: dict[str, Any] = next((each for each in underscored.get("processes", []) if each["type"] == "web"), {})
    return {**web, **underscored}


def _written(call: Call, app: App) -> dict[str, Any]:
    bindings = select(CredentialBinding).where(CredentialBinding.app_guid == app.guid)
    return application(app, manifests.routes_of(call, app), call.session.scalars(bindings).all())


def show(call: Call) -> Reply:
    text = yaml.safe_dump({"applications": [_written(call, call.the(App))]}, sort_keys=False, explicit_start=True)
    return Reply(200, text.encode(), {"Content-Type": _YAML})


ENDPOINTS = (
    post("/v3/spaces/{guid}/actions/apply_manifest", knowing_router_groups(_needs_ports, apply)),
    post("/v3/spaces/{guid}/manifest_diff", show_diff),
    get("/v3/apps/{guid}/manifest", show),
)
