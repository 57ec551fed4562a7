"""`completion`: the scripts that make a shell complete `cfroute` command lines.

They are click's own; the files in `completions/` hold the same text. What they ask for is answered by the program itself:
commands and options from the catalog, values from `live_values`.
"""

import os
from pathlib import Path

import click
from click.shell_completion import ShellComplete, get_completion_class

from cfroute.cli.command import command
from cfroute.cli.main import COMPLETION
from cfroute.cli.session import Session
from cfroute.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The completion script for a shell."""
    kind = get_completion_class(shell)
    assert kind is not None
    # Not kind.source: for bash it looks at the bash of this machine, and the script may be meant for another.
    return ShellComplete.source(kind(click.Group("cfroute"), {}, "cfroute", COMPLETION)).strip() + "\n"


@command(
    "completion",
    usage="cfroute completion [bash | zsh | fish]",
    examples=(
        "source <(cfroute completion bash)",
        "cfroute completion zsh > ~/.zfunc/_cfroute",
        "cfroute completion fish > ~/.config/fish/completions/cfroute.fish",
    ),
    see_also=("docs", "help"),
    cf_shaped=False,
)
@click.argument("shell", required=False, type=click.Choice(SHELLS))
def completion(session: Session, shell: str | None) -> None:
    wanted = shell or Path(os.environ.get("SHELL", "")).name
    if wanted not in SHELLS:
        raise UsageError("which shell?", f"name one: {', '.join(SHELLS)}")
    text = script(wanted)
    session.line({"shell": wanted, "script": text}, text.rstrip("\n"))
