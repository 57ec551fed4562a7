"""Starting a process in a container, as Cloud Foundry's launcher does.

The shell that becomes the app announces itself to the guard first: its standard input is the guard's pipe. Then it
reads the profile scripts of the buildpack and of the app, and runs the command with bash, where there is one.
"""

import asyncio
import shutil
from pathlib import Path

from cfroute.diego.cell.guard import Guard

SCRIPT = """
echo "+ $$" >&0 || exit 70
exec </dev/null
for profile in "$HOME"/../profile.d/*.sh "$HOME"/.profile.d/*.sh "$HOME"/.profile; do
  [ -f "$profile" ] && . "$profile"
done
exec "$0" -c "$1"
"""


async def launch(command: str, root: Path, environment: dict[str, str], guard: Guard) -> asyncio.subprocess.Process:
    """Run the command in `<root>/app`, in a session of its own; its output comes through pipes. Raises OSError."""
    shell = shutil.which("bash") or "/bin/sh"
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        SCRIPT,
        shell,
        command,
        stdin=guard.pipe,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=root / "app",
        env=environment,
        start_new_session=True,
    )
    guard.add(process.pid)
    return process
