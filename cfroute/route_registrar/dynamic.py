"""Routes of the files that globs name: what is read from them, and what changes when they do."""

from collections.abc import Mapping
from typing import NamedTuple

from cfroute.go import yaml
from cfroute.lager import Lager
from cfroute.route_registrar.config import Route
from cfroute.route_registrar.problems import Problems
from cfroute.route_registrar.route_validation import route
from cfroute.route_registrar.schema import DynamicSchema

Files = Mapping[str, list[Route]]
"""The routes of each file, by its name."""


class Changes(NamedTuple):
    """What is new, what is gone, and from which files something has gone."""

    added: list[Route]
    removed: list[Route]
    files: list[str]


def changes(before: Files, now: Files) -> Changes:
    """What has become different. A route that several files have counts once; one with another field is another route."""
    had = [each for routes in before.values() for each in routes]
    has = [each for routes in now.values() for each in routes]
    files = [name for name, routes in before.items() if any(each not in now.get(name, ()) for each in routes)]
    return Changes(_each_once(has, but=had), _each_once(had, but=has), files)


def _each_once(routes: list[Route], *, but: list[Route]) -> list[Route]:
    found: list[Route] = []
    for each in routes:
        if each not in but and each not in found:
            found.append(each)
    return found


def parse(name: str, text: bytes, host: str, instance_index: int, log: Lager) -> list[Route] | None:
    """The routes of a file that are right; None if it is no YAML. What is left out is logged. `host` is the default."""
    try:
        schema = yaml.decode(text, DynamicSchema(), "config.ConfigSchema")
    except yaml.YAMLError as error:
        log.error("failed-to-parse-file", file=name, error=str(error))
        return None
    routes = []
    for index, written in enumerate(schema.routes):
        try:
            routes.append(route(written, index, host, instance_index))
        except Problems as problems:
            log.error("failed-to-parse-route", file=name, error=str(problems))
    return routes
