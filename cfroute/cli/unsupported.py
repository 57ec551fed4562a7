"""What cf has and cfroute has not: why, and what does the same here. Only tables, for they are looked at before a command is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import click

from cfroute.cli.options import Function, option
from cfroute.errors import CfrouteError


class Reason(NamedTuple):
    """Why something is not there, as the rest of a sentence, and what to do instead."""

    why: str
    instead: str


_NO_CONTAINER = Reason(
    "instances are processes of this machine, there is no container to get into",
    "their files are below 'cells' in the state folder (see 'cfroute info'), and 'cfroute logs APP_NAME' has what they print",
)
_NO_TASKS = Reason(
    "it has no tasks",
    "push what is to run as an app of its own: 'cfroute push NAME -c COMMAND -u process --no-route'",
)
_OWN_BUILDPACKS = Reason(
    "its buildpacks come with it ('cfroute buildpacks')",
    "a Procfile, or a command for -c, is enough for anything that runs on this machine",
)
_NO_IMAGES = Reason("it runs no container images", "push the folder with the app's files: 'cfroute push APP_NAME -p PATH'")
_OPEN_NETWORK = Reason("instances reach whatever this machine reaches", "nothing has to be opened for them")
_NO_VARIABLE_GROUPS = Reason(
    "it has no groups of environment variables", "'cfroute set-env' gives an app a variable, as does 'env' in its manifest"
)
_ONE_PLACE = Reason(
    "its apps all run on this machine, in no isolation segment", "'cfroute up --cells N' spreads them over several cells"
)
_PIP = Reason("its plugins are Python packages", "'pip install PACKAGE' adds one, and 'cfroute plugins' lists them")

COMMANDS: dict[str, Reason] = {
    **dict.fromkeys(("ssh", "ssh-code", "ssh-enabled", "enable-ssh", "disable-ssh"), _NO_CONTAINER),
    **dict.fromkeys(("space-ssh-allowed", "allow-space-ssh", "disallow-space-ssh"), _NO_CONTAINER),
    **dict.fromkeys(("run-task", "tasks", "task", "terminate-task"), _NO_TASKS),
    **dict.fromkeys(("create-buildpack", "update-buildpack", "delete-buildpack"), _OWN_BUILDPACKS),
    "update-stack": Reason("its only stack is this machine", "'cfroute stacks' shows it"),
    **dict.fromkeys(("network-policies", "add-network-policy", "remove-network-policy"), _OPEN_NETWORK),
    **dict.fromkeys(("security-groups", "security-group", "create-security-group", "update-security-group"), _OPEN_NETWORK),
    **dict.fromkeys(("delete-security-group", "bind-security-group", "unbind-security-group"), _OPEN_NETWORK),
    **dict.fromkeys(("running-security-groups", "staging-security-groups"), _OPEN_NETWORK),
    **dict.fromkeys(("bind-running-security-group", "unbind-running-security-group"), _OPEN_NETWORK),
    **dict.fromkeys(("bind-staging-security-group", "unbind-staging-security-group"), _OPEN_NETWORK),
    **dict.fromkeys(("isolation-segments", "create-isolation-segment", "delete-isolation-segment"), _ONE_PLACE),
    **dict.fromkeys(("enable-org-isolation", "disable-org-isolation", "set-org-default-isolation-segment"), _ONE_PLACE),
    **dict.fromkeys(("reset-org-default-isolation-segment", "set-space-isolation-segment"), _ONE_PLACE),
    "reset-space-isolation-segment": _ONE_PLACE,
    **dict.fromkeys(("running-environment-variable-group", "rvg", "revg"), _NO_VARIABLE_GROUPS),
    **dict.fromkeys(("staging-environment-variable-group", "svg", "sevg"), _NO_VARIABLE_GROUPS),
    **dict.fromkeys(("set-running-environment-variable-group", "srevg"), _NO_VARIABLE_GROUPS),
    **dict.fromkeys(("set-staging-environment-variable-group", "ssevg"), _NO_VARIABLE_GROUPS),
    **dict.fromkeys(("install-plugin", "uninstall-plugin", "add-plugin-repo", "list-plugin-repos"), _PIP),
    **dict.fromkeys(("remove-plugin-repo", "repo-plugins"), _PIP),
}
"""Commands of cf that are answered with the reason."""

OPTIONS: dict[str, Reason] = {
    "--docker-image": _NO_IMAGES,
    "--docker-username": _NO_IMAGES,
    "--log-rate-limit": Reason("what an app logs is not limited", "leave it out"),
    "--task": _NO_TASKS,
}


class NotSupported(CfrouteError):
    """cf has it, cfroute has not."""

    def __init__(self, name: str, reason: Reason) -> None:
        super().__init__(f"'{name}' is not supported by cfroute: {reason.why}", reason.instead)


def _refuse(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and not context.resilient_parsing:
        name = max(parameter.opts, key=len)
        raise NotSupported(name, OPTIONS[name])


def refused(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """An option of cf that is known and refused; the longest of its names is in OPTIONS."""
    text = f"Not supported by cfroute: {OPTIONS[max(names, key=len)].why}"
    return option(*names, complete="text", callback=_refuse, expose_value=False, help=text, **settings)


def _only_buildpack(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value not in (None, "buildpack") and not context.resilient_parsing:
        raise NotSupported(f"{parameter.opts[0]} {value}", _NO_IMAGES if value == "docker" else _OWN_BUILDPACKS)


def _lifecycle(name: str) -> Callable[[Function], Function]:
    text = "App lifecycle type to stage and run the app: buildpack (the others are not supported by cfroute)"
    kinds = click.Choice(["buildpack", "cnb", "docker"])
    return option(name, type=kinds, callback=_only_buildpack, expose_value=False, help=text)


lifecycle, app_type = _lifecycle("--lifecycle"), _lifecycle("--app-type")


def docker_image(function: Function) -> Function:
    """--docker-image."""
    return refused("--docker-image", "-o")(function)
