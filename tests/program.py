"""Which `cfroute` the tests start that drive it from outside: the one beside this Python, or what `--cfroute` names."""

import os
import sys
from pathlib import Path

VARIABLE = "TESTED_CFROUTE"


def program() -> Path:
    """The command to start, without arguments."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(sys.executable).with_name("cfroute")
