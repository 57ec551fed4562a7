"""The file of the access log."""

import os
from pathlib import Path

import pytest

from cfroute.gorouter.logs.access_file import AccessFile, AccessLogError


def test_an_existing_file_is_appended_to(tmp_path, logger):
    path = tmp_path / "access.log"
    path.write_text("before\n")
    file = AccessFile(str(path), logger)
    file.write([b"one\n", b"two\n"])
    file.close()
    assert path.read_text() == "before\none\ntwo\n"


def test_a_file_that_was_moved_away_goes_on_growing(tmp_path, logger):
    path = tmp_path / "access.log"
    file = AccessFile(str(path), logger)
    path.rename(tmp_path / "access.log.1")
    file.write([b"one\n"])
    file.close()
    assert (tmp_path / "access.log.1").read_text() == "one\n"
    assert not path.exists()


def test_a_new_file_is_readable_by_all(tmp_path, logger):
    umask = os.umask(0)
    try:
        AccessFile(str(tmp_path / "access.log"), logger).close()
    finally:
        os.umask(umask)
    assert (tmp_path / "access.log").stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_opened(tmp_path, logger, log_lines):
    path = tmp_path / "missing" / "access.log"
    with pytest.raises(AccessLogError) as refused:
        AccessFile(str(path), logger)
    assert str(refused.value) == f"open {path}: no such file or directory"
    assert log_lines.data("error-creating-accesslog-file") == [{"filename": str(path), "error": str(refused.value)}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_once(logger, log_lines):
    file = AccessFile("/dev/full", logger)
    for _ in range(3):
        file.write([b"lost\n"])
    file.close()
    assert log_lines.data("error-emitting-access-log-to-writer-accesslog") == [
        {"error": "write /dev/full: no space left on device"}
    ]
