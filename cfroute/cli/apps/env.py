"""Environment variables of apps."""

from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument
from cfroute.cli.session import Session


class Environment(msgspec.Struct):
    """What an app finds in its environment, by who provides it."""

    system: dict[str, Any]
    application: dict[str, Any]
    user: dict[str, str]
    running: dict[str, str]
    staging: dict[str, str]


def _text(env: Environment) -> str:
    provided = [*_documents(env.system), *_documents(env.application)]
    parts = ["System-Provided:", *provided] if provided else ["No system-provided env variables have been set"]
    groups = (
        ("User-Provided:", env.user, "No user-provided env variables have been set"),
        ("Running Environment Variable Groups:", env.running, "No running env variables have been set"),
        ("Staging Environment Variable Groups:", env.staging, "No staging env variables have been set"),
    )
    for title, variables, nothing in groups:
        listed = [f"{key}: {value}" for key, value in sorted(variables.items())]
        parts += ["\n".join([title, *listed] if listed else [nothing]), ""]
    return "\n".join(parts).rstrip("\n")


def _documents(values: dict[str, Any]) -> list[str]:
    return [f"{key}: {render.document(value)}\n" for key, value in sorted(values.items())]


@command(
    "env",
    usage="cfroute env APP_NAME",
    examples=("cfroute env spring-music", "cfroute env spring-music --json"),
    see_also=("app", "set-env", "unset-env"),
    text=_text,
)
@argument("app_name")
def env(session: Session, app_name: str) -> Environment:
    session.say(f"Getting env variables for app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    found = session.api.get(f"/v3/apps/{app['guid']}/env")
    return Environment(
        system=found.get("system_env_json") or {},
        application=found.get("application_env_json") or {},
        user=found.get("environment_variables") or {},
        running=found.get("running_env_json") or {},
        staging=found.get("staging_env_json") or {},
    )


@command(
    "set-env",
    usage="cfroute set-env APP_NAME ENV_VAR_NAME ENV_VAR_VALUE",
    examples=("cfroute set-env spring-music COLOR blue", "cfroute set-env spring-music OPTIONS '-v --all'"),
    see_also=("env", "restage", "unset-env"),
)
@argument("app_name")
@argument("name", metavar="ENV_VAR_NAME")
@argument("value", metavar="ENV_VAR_VALUE")
def set_env(session: Session, app_name: str, name: str, value: str) -> Resource:
    session.say(f"Setting env variable {render.name(name)} for app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    changed = session.api.patch(f"/v3/apps/{app['guid']}/environment_variables", {"var": {name: value}})
    session.ok()
    _restage_tip(session, app_name)
    return dict(changed)


@command(
    "unset-env",
    usage="cfroute unset-env APP_NAME ENV_VAR_NAME",
    examples=("cfroute unset-env spring-music COLOR", "cfroute ue spring-music COLOR"),
    see_also=("env", "restage", "set-env"),
)
@argument("app_name")
@argument("name", metavar="ENV_VAR_NAME")
def unset_env(session: Session, app_name: str, name: str) -> Resource:
    session.say(f"Removing env variable {render.name(name)} from app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    present = name in session.api.get(f"/v3/apps/{app['guid']}/env")["environment_variables"]
    if not present:
        session.say(f"Env variable {name} was not set.")
        session.ok()
        return {"name": name, "removed": False}
    session.api.patch(f"/v3/apps/{app['guid']}/environment_variables", {"var": {name: None}})
    session.ok()
    _restage_tip(session, app_name)
    return {"name": name, "removed": True}


def _restage_tip(session: Session, app_name: str) -> None:
    session.tip(f"Use 'cfroute restage {app_name}' to ensure your env variable changes take effect.")
