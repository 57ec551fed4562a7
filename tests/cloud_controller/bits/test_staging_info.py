"""What a droplet says of itself, and droplets that are made to keep their reader busy."""

import gzip
import io
import tarfile
from collections.abc import Iterable

import pytest

from cfroute.cloud_controller.bits.staging_info import UnreadableDroplet, process_types

INFO = ("staging_info.yml", b"start_command: run\n")
MIB = 1024 * 1024


def tar(files: Iterable[tuple[str, bytes]], format: int = tarfile.GNU_FORMAT) -> bytes:  # noqa: A002
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=format) as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """That of a member which is not there."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def packed(content: bytes) -> io.BytesIO:
    return io.BytesIO(gzip.compress(content))


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["ustar", "gnu", "pax"])
def test_it_is_found_behind_all_kinds_of_members(format: int) -> None:  # noqa: A002
    long, wide = f"app/{'x' * 90}/{'y' * 90}", "app/" + "z" * 60 + "/ü"
    content = tar([("app/a", b"a" * 1000), (long, b"1"), (wide, b"2"), INFO], format)
    assert process_types(packed(content)) == {"web": "run"}


def test_links_have_no_content() -> None:
    link = header("a", 100, tarfile.SYMTYPE)
    assert process_types(packed(link + tar([INFO]))) == {"web": "run"}


def test_nothing_is_said() -> None:
    assert process_types(packed(tar([("app/staging_info.yml", INFO[1])]))) == {}


def test_what_stands_behind_it_is_not_read() -> None:
    assert process_types(packed(tar([INFO])[:1024] + b"no archive any more")) == {"web": "run"}


@pytest.mark.parametrize(
    "content",
    [
        tar([("app", bytes(4 * MIB)), INFO]),
        header("app", 4 * MIB),
        header("app", 4 * MIB, tarfile.XHDTYPE),
        header("app", 4 * MIB, tarfile.GNUTYPE_LONGNAME),
        header("app", -1) * 4096,
        header("staging_info.yml", -1),
        tar([("staging_info.yml", b"#" * (MIB + 1))]),
        header("app", 5),
    ],
    ids=["large", "said to be large", "pax", "long name", "negative", "negative info", "a large info", "cut off"],
)
def test_what_is_refused(content: bytes) -> None:
    """Before more than a droplet may have is unpacked."""
    with pytest.raises(UnreadableDroplet):
        process_types(packed(content), largest=2 * MIB)


def test_what_is_said_to_be_too_large_is_not_unpacked() -> None:
    file = packed(header("app", 1 << 40) + bytes(8 * MIB))
    with pytest.raises(UnreadableDroplet):
        process_types(file)
    assert file.tell() < len(file.getvalue())
