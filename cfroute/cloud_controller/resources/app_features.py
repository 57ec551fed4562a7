"""/v3/apps/:guid/features"""

from typing import Any

from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, patch
from cfroute.cloud_controller.errors import not_found, refuse_if, unprocessable
from cfroute.cloud_controller.fixed_list import page
from cfroute.cloud_controller.models import App
from cfroute.cloud_controller.validation.apps import feature_problems

NO_SSH = "SSH is not supported by this foundation: instances are processes of this machine."


def _features(app: App) -> dict[str, dict[str, Any]]:
    ssh = {"name": "ssh", "description": "Enable SSHing into the app.", "enabled": False}
    revisions = {
        "name": "revisions",
        "description": "Enable versioning of an application",
        "enabled": app.revisions_enabled,
    }
    return {"ssh": ssh, "revisions": revisions}


def index(call: Call) -> Reply:
    return page(call, list(_features(call.the(App)).values()), order=("name",))


def show(call: Call) -> dict[str, Any]:
    return _feature(call, call.the(App))


def _feature(call: Call, app: App) -> dict[str, Any]:
    feature = _features(app).get(call.path["feature"])
    if feature is None:
        raise not_found("Feature")
    return feature


def ssh_enabled(call: Call) -> dict[str, Any]:
    """Whether instances of the app can be entered."""
    call.the(App)
    return {"enabled": False, "reason": "Disabled globally"}


def update(call: Call) -> dict[str, Any]:
    app, body = call.the(App), call.body
    feature = _feature(call, app)
    refuse_if(feature_problems(body))
    if feature["name"] == "revisions":
        app.revisions_enabled = body["enabled"]
    elif body["enabled"]:
        raise unprocessable(NO_SSH)
    return _feature(call, app)


ENDPOINTS = (
    get("/v3/apps/{guid}/features", index),
    get("/v3/apps/{guid}/features/{feature}", show),
    patch("/v3/apps/{guid}/features/{feature}", update),
    get("/v3/apps/{guid}/ssh_enabled", ssh_enabled),
)
