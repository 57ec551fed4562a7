import errno
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cfroute.diego.cell.archives import ArchiveError, pack, remove, unpack

MEGABYTE = 1024 * 1024


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def zipped(path: Path, *entries: tuple[str, int, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode, data in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return path


def test_unpacks_files_folders_links_and_modes(tmp_path: Path) -> None:
    archive = tar(
        tmp_path / "a.tgz",
        (member("app/", tarfile.DIRTYPE), b""),
        (member("app/run", mode=0o755), b"#!/bin/sh"),
        (member("app/link", tarfile.SYMTYPE, "run"), b""),
        (member("app/same", tarfile.LNKTYPE, "app/run"), b""),
    )
    unpack(archive, tmp_path / "out", MEGABYTE)

    assert (tmp_path / "out/app/link").read_text() == "#!/bin/sh"
    assert (tmp_path / "out/app/same").read_text() == "#!/bin/sh"
    assert stat.S_IMODE((tmp_path / "out/app/run").stat().st_mode) == 0o755


def test_unpacks_zips_with_modes_and_links(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "a.zip",
        ("run", stat.S_IFREG | 0o755, b"x"),
        ("dir/", stat.S_IFDIR | 0o755, b""),
        ("link", stat.S_IFLNK | 0o777, b"run"),
        ("plain", 0, b"y"),
    )
    unpack(archive, tmp_path / "out", MEGABYTE)

    assert (tmp_path / "out/link").readlink() == Path("run")
    assert (tmp_path / "out/run").stat().st_mode & 0o100
    assert (tmp_path / "out/dir").is_dir()
    assert (tmp_path / "out/plain").read_text() == "y"


ESCAPES: dict[str, tuple[tuple[tarfile.TarInfo, bytes], ...]] = {
    "absolute": ((member("/etc/x"), b"x"),),
    "parent": ((member("../x"), b"x"),),
    "parent inside": ((member("a/../../x"), b"x"),),
    "link out": ((member("a", tarfile.SYMTYPE, "../.."), b""),),
    "absolute link": ((member("a", tarfile.SYMTYPE, "/tmp"), b""),),
    "link through a link that comes later": (
        (member("up", tarfile.SYMTYPE, "here/.."), b""),
        (member("here", tarfile.SYMTYPE, "."), b""),
    ),
    "link over a link": (
        (member("a", tarfile.SYMTYPE, "b"), b""),
        (member("a/x/../../..", tarfile.SYMTYPE, "x"), b""),
    ),
    "hard link out": ((member("a", tarfile.LNKTYPE, "../../secret"), b""),),
    "device": ((member("a", tarfile.CHRTYPE), b""),),
    "pipe": ((member("a", tarfile.FIFOTYPE), b""),),
    "link that is changed by a later one": (
        (member("d/", tarfile.DIRTYPE), b""),
        (member("d/up", tarfile.SYMTYPE, ".."), b""),
        (member("d/up/up2", tarfile.SYMTYPE, ".."), b""),
        (member("up2/x"), b"x"),
    ),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("secret")
    out = tmp_path / "inner" / "out"
    with pytest.raises(ArchiveError):
        unpack(tar(tmp_path / "a.tgz", *ESCAPES[name]), out, MEGABYTE)

    assert {path.name for path in tmp_path.iterdir()} == {"secret", "a.tgz", "inner"}
    assert [path.name for path in (tmp_path / "inner").iterdir()] == ["out"]


@pytest.mark.parametrize("entry", [("../x", 0o644, b"x"), ("/x", 0o644, b"x"), ("a", stat.S_IFLNK | 0o777, b"../..")])
def test_nothing_leads_out_of_the_folder_by_zip(tmp_path: Path, entry: tuple[str, int, bytes]) -> None:
    with pytest.raises(ArchiveError):
        unpack(zipped(tmp_path / "a.zip", entry), tmp_path / "inner/out", MEGABYTE)
    assert not (tmp_path / "inner/x").exists()


def test_a_quota_holds_for_what_is_really_there(tmp_path: Path) -> None:
    bomb = zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED)
    bomb.writestr("zeros", b"\0" * (20 * MEGABYTE))
    bomb.close()
    with pytest.raises(ArchiveError, match="quota"):
        unpack(tmp_path / "a.zip", tmp_path / "out", 10 * MEGABYTE)


@pytest.mark.parametrize("data", [b"", b"not an archive", b"\x1f\x8b\x08broken", b"PK\x05\x06" + b"\0" * 10])
def test_broken_archives_say_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ArchiveError):
        unpack(tmp_path / "a", tmp_path / "out", MEGABYTE)


parts = st.sampled_from(["a", "b", "..", ".", "", "c"])
names = st.lists(parts, min_size=1, max_size=4).map("/".join)
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])


def leads_in_circles(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(names, kinds, names), max_size=8))
@example([("a", tarfile.SYMTYPE, "a//a")])
def test_no_mixture_of_entries_leads_out(tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, bytes, str]]) -> None:
    outside = tmp_path_factory.mktemp("outside")
    members = [(member(name, kind, link), b"data" if kind == tarfile.REGTYPE else b"") for name, kind, link in entries]
    archive = tar(outside / "a.tgz", *members)
    out = outside / "one" / "two"
    try:
        unpack(archive, out, MEGABYTE)
    except (ArchiveError, OSError):  # a file where a folder is needed is the archive's own fault
        assert True
    assert {path.name for path in outside.iterdir()} == {"a.tgz", "one"}
    assert [path.name for path in (outside / "one").iterdir()] == ["two"]
    for path in out.rglob("*"):
        if not leads_in_circles(path):  # of such links realpath makes something up
            assert Path(os.path.realpath(path)).is_relative_to(out.resolve())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=4), st.sampled_from(["tgz", "zip"]))
def test_damaged_archives_never_surprise(tmp_path_factory: pytest.TempPathFactory, at: int, damage: bytes, kind: str) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "a"
    entries = [(f"file{number}", 0o644, bytes(range(200))) for number in range(4)]
    if kind == "zip":
        zipped(path, *entries)
    else:
        tar(path, *((member(name), data) for name, _, data in entries))
    data = bytearray(path.read_bytes())
    data[at % len(data) : at % len(data) + len(damage)] = damage
    path.write_bytes(bytes(data))
    attempt: Callable[[], None] = lambda: unpack(path, folder / "out", MEGABYTE)  # noqa: E731
    try:
        attempt()
    except (ArchiveError, OSError):
        assert True


def test_packing_and_unpacking_give_the_same(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "app").mkdir(parents=True)
    (source / "app" / "file").write_text("text")
    pack(source, tmp_path / "a.tgz")
    unpack(tmp_path / "a.tgz", tmp_path / "out", MEGABYTE)

    assert (tmp_path / "out/app/file").read_text() == "text"


def test_removes_what_was_made_unreadable(tmp_path: Path) -> None:
    folder = tmp_path / "container"
    (folder / "locked" / "inner").mkdir(parents=True)
    (folder / "locked" / "inner" / "file").write_text("x")
    (folder / "locked").chmod(0)
    remove(folder)

    assert not folder.exists()
