"""/v3/deployments"""

from typing import Any

from sqlalchemy.orm import joinedload

from cfroute.cloud_controller.actions import deployments
from cfroute.cloud_controller.actions.metadata import change_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import App, Deployment
from cfroute.cloud_controller.presenters import deployments as present
from cfroute.cloud_controller.validation import deployments as rules
from cfroute.cloud_controller.validation.common import related

LISTING = Listing(
    Deployment,
    present.deployment,
    {
        "app_guids": among(Deployment.app_guid),
        "states": among(Deployment.state),
        "status_reasons": among(Deployment.status_reason),
        "status_values": among(Deployment.status_value),
    },
    loads=(joinedload(Deployment.app),),
)
_NO_APP = "Unable to use app. Ensure that the app exists and you have access to it and the organization is not suspended."
_NO_REVISIONS = "Cannot create deployment from a revision for an app without revisions enabled"


def create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.create_problems(body))
    app = call.find(App, related(body, "app"))
    if app is None:
        raise unprocessable(_NO_APP)
    if body.get("revision") and not app.revisions_enabled:
        raise unprocessable(_NO_REVISIONS)
    deployment = deployments.create(call, app, body)
    call.session.flush()
    return Reply(201, present.deployment(deployment, call.urls))


def show(call: Call) -> dict[str, Any]:
    return present.deployment(call.the(Deployment), call.urls)


def update(call: Call) -> dict[str, Any]:
    deployment = call.the(Deployment)
    change_metadata(call, deployment)
    return present.deployment(deployment, call.urls)


def cancel(call: Call) -> Reply:
    deployments.cancel(call, call.the(Deployment))
    return Reply(200)


def carry_on(call: Call) -> Reply:
    deployments.carry_on(call, call.the(Deployment))
    return Reply(200)


ENDPOINTS = (
    get("/v3/deployments", LISTING.page),
    post("/v3/deployments", create),
    get("/v3/deployments/{guid}", show),
    patch("/v3/deployments/{guid}", update),
    post("/v3/deployments/{guid}/actions/cancel", cancel),
    post("/v3/deployments/{guid}/actions/continue", carry_on),
)
