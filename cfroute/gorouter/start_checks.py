"""What stops a router from starting although its configuration is valid, as far as that can be told without starting it."""

import re
from pathlib import Path
from typing import Final

from cfroute.go.syscall import reason
from cfroute.go.template import TemplateError
from cfroute.gorouter.config import Config
from cfroute.gorouter.errors import ErrorWriter
from cfroute.logs import LEVELS, Logger

_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"(\*|{_LABEL})(\.{_LABEL})+")


class StartFailure(Exception):
    """The router cannot start; why has been logged."""

    def __init__(self, status: int = 1) -> None:
        super().__init__(status)
        self.status = status


class TemplateProblem(Exception):
    """The page for errors cannot be made; the message is upstream's."""


def level(name: str) -> int | None:
    """The level of the log that goes by this name; upstream's panic levels are errors here. None for an unknown one."""
    return {**LEVELS, "dpanic": 3, "panic": 3, "fatal": 3}.get(name.lower())


def level_problem(config: Config) -> str | None:
    """Why the level of the log cannot be set, in upstream's words."""
    return None if level(config.logging.level) is not None else f'unrecognized level: "{config.logging.level}"'


def logger(config: Config, level: int) -> Logger:
    """The log of a router with this configuration."""
    return Logger(config.logging.syslog or "gorouter.stdout", level, rfc3339=config.logging.format.timestamp == "rfc3339")


def allowlist_problem(config: Config) -> str | None:
    """Which entry of the hairpinning allowlist is neither a host nor a wildcard, in upstream's words."""
    for entry in config.route_services_hairpinning_allowlist:
        if not _HOST.fullmatch(entry):
            return (
                f"invalid route service hairpinning allowlist entry: {entry}. "
                "Must be wildcard (*.domain.com) or FQDN (hostname.domain.com)"
            )
    return None


def error_writer(config: Config, log: Logger) -> ErrorWriter:
    """What answers errors: with a page from the template, if there is one. Raises TemplateProblem."""
    path = config.html_error_template_file
    try:
        return ErrorWriter(log, Path(path).read_text(encoding="utf-8") if path else "")
    except OSError as error:
        raise TemplateProblem(f"Could not read HTML error template file: open {path}: {reason(error)}") from error
    except UnicodeError as error:
        raise TemplateProblem(f"Could not read HTML error template file: {error}") from error
    except TemplateError as error:
        raise TemplateProblem(str(error)) from error
