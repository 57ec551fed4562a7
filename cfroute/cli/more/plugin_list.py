"""`plugins`: what is installed beside cfroute and adds to it."""

import msgspec

from cfroute import plugins as installed_plugins
from cfroute.cli import plugin_commands, render
from cfroute.cli.command import command
from cfroute.cli.session import Session


class PluginRow(msgspec.Struct):
    """One plugin. `error` says why it adds nothing."""

    name: str
    package: str
    version: str
    commands: list[str]
    samples: list[str]
    error: str | None


HEADERS = ("name", "package", "version", "commands", "samples")


def _text(rows: list[PluginRow]) -> str:
    if not rows:
        return "No plugins are installed. 'cfroute docs plugins' tells how to get and how to write them."
    shown = ((row.name, row.package, row.version, *_added(row)) for row in rows)
    return render.table(HEADERS, shown)


def _added(row: PluginRow) -> tuple[str, str]:
    return ("broken", "") if row.error else (", ".join(row.commands), ", ".join(row.samples))


@command(
    "plugins",
    usage="cfroute plugins",
    examples=("cfroute plugins", "cfroute plugins --json"),
    see_also=("docs", "help", "push"),
    cf_shaped=False,
    text=_text,
)
def plugins(session: Session) -> list[PluginRow]:
    plugin_commands.warn(session)
    return [
        PluginRow(
            name=plugin.name,
            package=plugin.package,
            version=plugin.version,
            commands=[each.name for each in plugin.commands],
            samples=[each.name for each in plugin.samples],
            error=installed_plugins.told(plugin.error) if plugin.error else None,
        )
        for plugin in installed_plugins.installed()
    ]
