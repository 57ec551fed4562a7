"""Starting a process in a container, as Cloud Foundry's launcher does.

The shell that becomes the app announces itself to the guard first: its standard input is the guard's pipe. Then it
reads the profile scripts of the buildpack and of the app, and runs the command with bash, where there is one.
"""

import shutil
from pathlib import Path

from cfroute.diego.cell.child import Child
from cfroute.diego.cell.guard import Guard

SCRIPT = """
echo "+ $$" >&0 || exit 70
exec </dev/null
for profile in "$HOME"/../profile.d/*.sh "$HOME"/.profile.d/*.sh "$HOME"/.profile; do
  [ -f "$profile" ] && . "$profile"
done
exec "$0" -c "$1"
"""


def launch(command: str, root: Path, environment: dict[str, str], guard: Guard) -> Child:
    """Run the command in `<root>/app`, in a session of its own; its output comes through pipes. Raises OSError."""
    shell = shutil.which("bash") or "/bin/sh"
    arguments = ["/bin/sh", "-c", SCRIPT, shell, command]
    child = Child.start(arguments, cwd=root / "app", environment=environment, stdin=guard.pipe, pipes=True)
    guard.add(child.pid)
    return child
