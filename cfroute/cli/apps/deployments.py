"""What can be done about a deployment that is under way."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.apps import deploying
from cfroute.cli.apps.starting import STARTUP, require_running
from cfroute.cli.apps.summary import AppSummary, summarize, summary_text
from cfroute.cli.command import command
from cfroute.cli.options import argument
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError


@command(
    "cancel-deployment",
    usage="cfroute cancel-deployment APP_NAME",
    examples=("cfroute cancel-deployment my-app", "cfroute cancel-deployment my-app --json"),
    see_also=("app", "continue-deployment", "push"),
)
@argument("app_name")
def cancel_deployment(session: Session, app_name: str) -> Resource:
    session.say(f"Canceling deployment for app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    deployment = _active(session, app)
    session.api.post(f"/v3/deployments/{deployment['guid']}/actions/cancel")
    session.ok()
    session.tip(f"Run 'cfroute app {app_name}' to view app status.")
    return {"guid": deployment["guid"], "app": app_name}


def _active(session: Session, app: Resource) -> Resource:
    found = lookup.active_deployment(session.api, app["guid"])
    if found is None:
        raise CfrouteError("No active deployment found for app.")
    return found


def _continued_text(app: AppSummary) -> str:
    return f"{summary_text(app)}\n\nTIP: Run 'cfroute app {app.name}' to view app status."


@command(
    "continue-deployment",
    usage="cfroute continue-deployment APP_NAME",
    examples=("cfroute continue-deployment my-app", "cfroute continue-deployment my-app --json"),
    see_also=("app", "cancel-deployment", "push"),
    environment=STARTUP,
    text=_continued_text,
)
@argument("app_name")
def continue_deployment(session: Session, app_name: str) -> AppSummary:
    require_running(session, "continuing a deployment")
    session.say(f"Continuing deployment for app {render.name(app_name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    deployment = _active(session, app)
    session.api.post(f"/v3/deployments/{deployment['guid']}/actions/continue")
    session.say("Waiting for app to deploy...")
    session.say()
    going = session.api.get(f"/v3/deployments/{deployment['guid']}")
    deploying.wait(session, app, going, session.say)
    session.say()
    return summarize(session.api, app, session.clock)
