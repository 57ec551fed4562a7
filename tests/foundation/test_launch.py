"""A start that the system does not allow, or somebody else."""

import subprocess

import msgspec
import pytest

from cfroute.errors import CfrouteError
from cfroute.foundation import detached, launch
from cfroute.foundation.events import Stopping
from cfroute.foundation.options import Given
from cfroute.home import Home


def test_a_log_of_the_supervisor_that_cannot_be_written_is_named(home: Home) -> None:
    home.log("supervisor").mkdir()
    said = f"cannot run: Is a directory: {home.log('supervisor')}"
    with pytest.raises(CfrouteError, match=said):
        launch.supervise(home, Given(), print)
    with pytest.raises(CfrouteError, match=said):
        detached.start(home, Given(), 1.0, print)


def test_what_has_no_name_is_told_by_its_reason(home: Home) -> None:
    with pytest.raises(CfrouteError, match=r"cannot run: No space left on device$"), launch.system_errors_named(home):
        raise OSError(28, "No space left on device")


def test_whoever_waits_for_a_foundation_that_somebody_stops_is_told_so() -> None:
    said = msgspec.json.encode(Stopping("cfroute down")).decode()
    with (
        subprocess.Popen(["echo", said], stdout=subprocess.PIPE) as supervisor,
        pytest.raises(CfrouteError, match=r"stopped before it was ready \(cfroute down\)"),
    ):
        detached._follow(supervisor, lambda event: None, wait=True)
