import multiprocessing
from pathlib import Path

import pytest

from cfroute.log_cache import LogWriter, read, remove
from cfroute.log_cache.writer import MAX_PAYLOAD
from cfroute.testing.clock import ManualClock


def test_writes_one_json_object_a_line(tmp_path: Path) -> None:
    clock = ManualClock()
    LogWriter(tmp_path, clock=clock).write("guid", "APP/PROC/WEB", "0", "hello\tworld", error=True)

    assert (tmp_path / "guid.log").read_text() == (
        f'{{"timestamp":{clock.now_ns()},"source_type":"APP/PROC/WEB","instance_id":"0",'
        '"type":"ERR","payload":"hello\\tworld"}\n'
    )


@pytest.mark.parametrize("guid", ["", "../etc", "a/b", ".hidden", "a\n"])
def test_refuses_guids_that_lead_out_of_the_folder(tmp_path: Path, guid: str) -> None:
    with pytest.raises(ValueError, match="not an app guid"):
        LogWriter(tmp_path).write(guid, "APP", "0", "x")


def test_cuts_long_texts_between_characters(tmp_path: Path) -> None:
    LogWriter(tmp_path).write("guid", "APP", "0", "é" * MAX_PAYLOAD)

    [envelope] = read(tmp_path, "guid")
    assert envelope.payload == "é" * (MAX_PAYLOAD // 2)


def test_survives_texts_that_are_no_unicode(tmp_path: Path) -> None:
    LogWriter(tmp_path).write("guid", "APP", "0", "bad \udcff")

    assert read(tmp_path, "guid")[0].payload == "bad ?"


def test_rotates_and_keeps_the_older_half(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, rotate_at=1000)
    for number in range(20):
        writer.write("guid", "APP", "0", str(number))

    kept = [int(each.payload) for each in read(tmp_path, "guid")]
    assert kept == list(range(kept[0], 20))
    assert (tmp_path / "guid.log.1").stat().st_size < 1200


def _write_many(folder: Path, name: str) -> None:
    writer = LogWriter(folder, rotate_at=400_000)
    for number in range(500):
        writer.write("guid", "APP", name, f"{number} " + "x" * 100)


def test_processes_write_at_once_without_mixing_or_losing_lines(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write_many, args=(tmp_path, str(n))) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)

    lines = read(tmp_path, "guid", limit=10_000)
    assert len(lines) == 2000  # 440 kB: one rotation, so everything is still there
    for name in "0123":
        numbers = [int(each.payload.split()[0]) for each in lines if each.instance_id == name]
        assert numbers == list(range(500))


def test_remove_forgets_both_halves(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, rotate_at=100)
    for _ in range(3):
        writer.write("guid", "APP", "0", "x" * 90)
    remove(tmp_path, "guid")
    remove(tmp_path, "guid")

    assert list(tmp_path.iterdir()) == []
