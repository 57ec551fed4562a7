"""What `cfroute`, `cfroute --help` and `cfroute help` show."""

from cfroute import __version__, plugins
from cfroute.cli.catalog import COMMON, DAEMONS, ENTRIES, GROUPS, Entry
from cfroute.cli.shared_options import shared_options

DESCRIPTION = "Cloud Foundry's routing tier on one machine."


_WIDTH = 24  # columns for the names, but for a group with longer ones


def overview(*, complete: bool) -> str:
    """The commands grouped by task: all of them, or only the common ones."""
    sections = [_head(complete)]
    for title, entries in GROUPS.items():
        shown = [entry for entry in entries if complete or entry.name in COMMON]
        if shown:
            sections.append(f"{title}:\n" + _list([(_label(entry), entry.summary.split(" (i.e.")[0]) for entry in shown]))
    if complete:
        sections.append("Components, in the foreground:\n" + _list([(n, s) for n, (_, s) in DAEMONS.items()]))
        if added := [(each.name, each.summary) for plugin in plugins.installed() for each in plugin.commands]:
            sections.append("From plugins:\n" + _list(added))
        options = [(", ".join(option.opts), option.help or "") for option in shared_options()]
        sections.append("Options, before or after a command:\n" + _list([*options, ("-h, --help", "Show help")]))
        sections.append("Exit status: `cfroute docs exit-codes`. Everything stays on this machine.")
    else:
        sections.append(f"All {len(ENTRIES)} commands: cfroute help -a. One command: cfroute help COMMAND.")
    return "\n\n".join(sections)


def _head(complete: bool) -> str:
    lines = [f"cfroute {__version__}: {DESCRIPTION}", "", "Usage: cfroute COMMAND [ARGUMENTS] [OPTIONS]"]
    if not complete:
        lines += ["", "Start here:", "   cfroute up --detach", "   cfroute push echo --sample echo"]
        lines += ["   cfroute table --watch"]
    return "\n".join(lines)


def _label(entry: Entry) -> str:
    return ", ".join((entry.name, *entry.aliases))


def _list(rows: list[tuple[str, str]]) -> str:
    width = max(_WIDTH, *(len(left) for left, _ in rows))
    return "\n".join(f"   {left:<{width}}   {right}" for left, right in rows)
