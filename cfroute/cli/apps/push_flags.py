"""The flags of `push`, and which of them go together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from cfroute.cli.apps import deploying, manifest_io
from cfroute.cli.apps.manifest import Flags
from cfroute.cli.misuse import apart, together
from cfroute.cli.options import Function, option
from cfroute.cli.session import Session
from cfroute.cli.unsupported import docker_image, lifecycle, refused
from cfroute.errors import CfrouteError, UsageError

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    option("--app-start-timeout", "-t", "timeout", type=click.IntRange(min=1), help="Time (in seconds) allowed to elapse "
           "between starting up an app and the first healthy response from the app"),
    option("--buildpack", "-b", "buildpacks", multiple=True, help="Custom buildpack by name (e.g. my-buildpack). To use "
           "built-in buildpacks only, specify 'default' or 'null'; can specify multiple times"),
    option("--disk", "-k", help="Disk limit (e.g. 256M, 1024M, 1G)"),
    docker_image,
    refused("--docker-username"),
    option("--droplet", complete="file", help="Path to a tgz file with a pre-staged app"),
    option("--endpoint", help="Valid path on the app for an HTTP health check. Only used when specifying "
           "--health-check-type=http"),
    option("--health-check-type", "-u", type=click.Choice(["process", "port", "http"]), help="Application health check "
           "type. Defaults to 'port'. 'http' requires a valid endpoint, for example, '/health'."),
    option("--hostname", "-n", help="Hostname of the app's only route (default: the app's name)"),
    option("--instances", "-i", type=click.IntRange(min=0), help="Number of instances"),
    lifecycle,
    refused("--log-rate-limit", "-l"),
    option("--manifest", "-f", "manifest_path", help="Path to manifest"),
    option("--memory", "-m", help="Memory limit (e.g. 256M, 1024M, 1G)"),
    option("--no-manifest", is_flag=True, help="Ignore manifest file"),
    option("--no-route", is_flag=True, help="Do not map a route to this app"),
    option("--no-start", is_flag=True, help="Do not stage and start the app after pushing"),
    option("--path", "-p", complete="file", help="Path to app directory or to a zip file of the contents of the app directory"),
    option("--random-route", is_flag=True, help="Create a random route for this app (except when no-route is specified in "
           "the manifest)"),
    option("--sample", complete="sample", help="Push an app that comes with cfroute"),
    option("--stack", "-s", help="Stack to use (a stack is a pre-built file system, including an operating system, that "
           "can run apps)"),
    option("--start-command", "-c", "command", help="Startup command, set to null to reset to default start command"),
    deploying.strategy_options("started"),
    refused("--task", is_flag=True),
    manifest_io.variable_options,
)  # fmt: skip


def push_options(function: Function) -> Function:
    """All of them, in the order in which the help has them."""
    for add in reversed(_OPTIONS):
        function = add(function)
    return function


_NAMES = {
    "--buildpack, -b": "buildpacks",
    "--manifest, -f": "manifest_path",
    "--path, -p": "path",
    "--vars": "variables",
    "--vars-file": "variable_files",
}
"""Where a flag's value is not under the flag's own name."""

_APART = (
    ("--hostname", "--no-route", "--random-route"),
    ("--path, -p", "--sample"),
    ("--no-manifest", "--manifest, -f"),
    ("--no-manifest", "--vars-file"),
    ("--no-manifest", "--vars"),
    ("--droplet", "--sample"),
    ("--droplet", "--buildpack, -b"),
    ("--no-start", "--no-wait"),
)
"""Of each of these flags, under the names that cf tells, one at most may be used."""


def check(given: Mapping[str, Any]) -> None:
    """Raises Misuse for flags that exclude or need each other, UsageError for what is not there, CfrouteError for buildpacks."""
    for flags in _APART:
        used = [flag for flag in flags if given[_NAMES.get(flag, flag[2:].replace("-", "_"))]]
        if len(used) > 1:
            raise apart(*used)
    if given["droplet"] and given["path"]:
        raise apart("--droplet", "--docker-image, -o", "--docker-username", "-p")
    if given["no_start"] and given["strategy"]:
        raise apart("--no-start", f"--strategy={given['strategy']}")
    for path in filter(None, (given["droplet"], *given["variable_files"])):
        if not Path(path).is_file():
            raise UsageError(f"The specified path '{path}' does not exist.")
    if given["health_check_type"] == "http" and not given["endpoint"]:
        raise together("--endpoint", "--health-check-type=http, -u=http")
    if len(given["buildpacks"]) > 1 and {"default", "null"} & set(given["buildpacks"]):
        raise CfrouteError("Multiple buildpacks flags cannot have null/default option.")


def manifest_flags(session: Session, given: Mapping[str, Any]) -> Flags:
    """Those that change the manifest."""
    names = Flags.__struct_fields__
    return Flags(
        **{name: value for name, value in given.items() if name in names},
        route=_route(session, given["hostname"]) if given["hostname"] else None,
    )


def _route(session: Session, hostname: str) -> str:
    domain = session.api.get(f"/v3/organizations/{session.target.org['guid']}/domains/default")
    return f"{hostname}.{domain['name']}"
