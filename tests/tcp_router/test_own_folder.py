"""The folder of an HAProxy that the router starts: gone with its owner, or when the next one comes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from cfroute.tcp_router.engines.own_folder import PREFIX, own_folder

OWNER = """
import sys
from pathlib import Path
from cfroute.tcp_router.engines.own_folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "haproxy.cfg").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_it_is_removed_at_the_end(tmp_path: Path) -> None:
    with own_folder(tmp_path) as folder:
        (folder / "haproxy.cfg").touch()
        assert folder.parent == tmp_path
    assert not folder.exists()


def test_one_that_somebody_else_has_removed_is_no_failure(tmp_path: Path) -> None:
    with own_folder(tmp_path) as folder:
        folder.rmdir()


def test_that_of_an_owner_that_was_killed_is_removed_by_the_next_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        theirs = Path(owner.stdout.readline().strip())
        with own_folder(tmp_path) as ours:
            assert theirs.is_dir()  # it is held
            assert ours != theirs
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    assert theirs.is_dir()
    with own_folder(tmp_path) as ours:
        assert list(tmp_path.iterdir()) == [ours]


def test_what_only_has_a_similar_name_stays(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}notes.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "elsewhere")
    with own_folder(tmp_path):
        assert len(list(tmp_path.iterdir())) == 4
