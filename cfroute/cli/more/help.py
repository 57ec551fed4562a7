"""`cfroute help`."""

import click

from cfroute.cli.catalog import DAEMONS
from cfroute.cli.command import command
from cfroute.cli.failures import no_command
from cfroute.cli.finding import find
from cfroute.cli.main import daemon
from cfroute.cli.options import argument, option
from cfroute.cli.overview import overview
from cfroute.cli.session import Session


@command(
    "help",
    usage="cfroute help [COMMAND] [-a]",
    examples=("cfroute help", "cfroute help -a", "cfroute help map-route"),
    see_also=("docs",),
    cf_shaped=False,
)
@argument("name", "command", required=False, nargs=-1, metavar="COMMAND")
@option("-a", "everything", is_flag=True, help="Show all commands")
def help_command(session: Session, name: tuple[str, ...], everything: bool) -> None:
    asked = " ".join(name)
    if not asked:
        session.print(overview(complete=everything))
    elif asked in DAEMONS:
        session.exit_code = daemon(asked, ["--help"])
    elif (found := find(asked, session)) is not None:
        session.print(found.get_help(click.Context(found, info_name=f"cfroute {asked}")))
    else:
        raise no_command(asked)
