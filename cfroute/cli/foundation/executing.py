"""`exec`: a program that finds the foundation in its environment."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import click

from cfroute.cli.command import command
from cfroute.cli.kinds import TEXT
from cfroute.cli.options import argument
from cfroute.cli.session import Session
from cfroute.errors import NotFound
from cfroute.foundation import secrets
from cfroute.foundation.client import FoundationClient
from cfroute.home import Home

_PATIENCE = 10.0  # seconds that the program gets to end when it is told to


def variables(home: Home) -> dict[str, str]:
    """What other programs need to know of a foundation, by the names of environment variables. Holds a password."""
    info, kept = FoundationClient(home).info(), secrets.load_or_create(home)
    nats = urlsplit(info["nats"].partition(",")[0])
    found = {
        "CFROUTE_HOME": home.root,
        "CFROUTE_API": info["api"],
        "CFROUTE_DOMAIN": info["domain"],
        "CFROUTE_HTTP": info["http"],
        "CFROUTE_HTTPS": info["https"],
        "CFROUTE_TCP_PORT_RANGE": info.get("tcp_ports", ""),
        "CFROUTE_CA": home.ca,
        "NATS_URL": f"nats://{kept.nats_user}:{kept.nats_password}@{nats.hostname}:{nats.port}",
        "CF_HOME": home.root / "cf",
        "CF_USERNAME": "admin",
        "CF_PASSWORD": kept.admin_password,
    }
    return {name: str(value) for name, value in found.items() if value}


def exports(values: dict[str, str]) -> str:
    """Lines for a shell: `eval "$(cfroute info --env)"`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())


@command(
    "exec",
    usage="cfroute exec [--] COMMAND [ARGUMENT]...",
    examples=(
        "cfroute exec -- cf api http://127.0.0.1:9022",
        "cfroute exec -- sh -c 'cfroute push echo --sample echo && curl -s $CFROUTE_HTTP -H \"Host: echo.$CFROUTE_DOMAIN\"'",
        "cfroute exec pytest tests/integration",
    ),
    see_also=("info", "up"),
    notes="Without a running foundation, one is started in a temporary folder, and ended after the command.\n"
    "'cfroute info --env' shows the variables. The exit status is that of the command.",
    cf_shaped=False,
)
@argument("words", TEXT, nargs=-1, metavar="COMMAND", type=click.UNPROCESSED)
def execute(session: Session, words: tuple[str, ...]) -> None:
    program = shutil.which(words[0])
    if program is None:
        raise NotFound(f"There is no program '{words[0]}'.", "it is looked for in $PATH")
    if session.foundation.is_up():
        session.exit_code = _run(program, words, variables(session.home))
        return
    from cfroute.cli.foundation import throwaway

    with throwaway.foundation(session) as home:
        session.exit_code = _run(program, words, variables(home))


execute.allow_interspersed_args = False  # what follows the name of the program is the program's


def _run(program: str, words: Sequence[str], found: dict[str, str]) -> int:
    """Its exit status, as a shell has it. However this process is ended, the program is told to end first."""
    process = subprocess.Popen(words, executable=program, env={**os.environ, **found})
    try:
        status = _wait(process)
    except BaseException:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    return status if status >= 0 else 128 - status


def _wait(process: "subprocess.Popen[Any]") -> int:
    """Ctrl-C goes to the program, too; what it makes of that is its affair."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
