"""Taking in the bits of an app, or a droplet: a multipart form with a file `bits`, streamed to the disk."""

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from python_multipart.exceptions import FormParserError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from cfroute.cloud_controller.blobs import Blobs
from cfroute.cloud_controller.documents import UnreadableDocument, read_yaml
from cfroute.cloud_controller.errors import BITS_INVALID, ApiError, not_found, unprocessable

_PIECE = 1024 * 1024
# Starlette hands on, depending on its version, its own exceptions or the parser's.
_NO_FORM = (HTTPException, MultiPartException, FormParserError, AssertionError)
_INFO = PurePosixPath("staging_info.yml")


async def store_bits(request: Request, blobs: Blobs, path: Path) -> str:
    """Store the uploaded zip at `path` and return its SHA-256. Raises 160001 when there is none, or it is no zip.

    An upload without the file is an empty app: the cf CLI leaves the file out when the server has all of it.
    """
    try:
        async with request.form(max_files=1, max_fields=10, max_part_size=64 * _PIECE) as form:
            bits = form.get("bits")
            if bits is None and "resources" in form:
                return await blobs.store(path, _pieces_of(_empty_zip()))
            if not isinstance(bits, UploadFile):
                raise ApiError(BITS_INVALID, "The app upload is invalid: missing bits")
            if not await run_in_threadpool(zipfile.is_zipfile, bits.file):
                raise ApiError(BITS_INVALID, "The app upload is invalid: the bits are not a zip file")
            await bits.seek(0)
            return await blobs.store(path, _pieces(bits))
    except _NO_FORM as error:
        raise ApiError(BITS_INVALID, "The app upload is invalid: not a multipart form") from error


class StoredDroplet(NamedTuple):
    """process_types: the commands that whoever built it has found, by the type of process."""

    checksum: str
    process_types: dict[str, str]


async def store_droplet(request: Request, blobs: Blobs, path: Path) -> StoredDroplet:
    """Store the uploaded droplet at `path`. Raises 422 when there is none, or it is no tgz."""
    try:
        async with request.form(max_files=1, max_fields=10, max_part_size=64 * _PIECE) as form:
            bits = form.get("bits")
            if not isinstance(bits, UploadFile):
                raise _no_droplet("A droplet tgz file must be uploaded as 'bits'")
            name = bits.filename or ""
            if not name.endswith((".tgz", ".tar.gz")):
                raise _no_droplet(f"{name} is not a tgz")
            if not bits.size:
                raise _no_droplet(f"{name} cannot be empty")
            types = await run_in_threadpool(_process_types, bits.file)
            await bits.seek(0)
            return StoredDroplet(await blobs.store(path, _pieces(bits)), types)
    except _NO_FORM as error:
        raise _no_droplet("A droplet tgz file must be uploaded as 'bits'") from error
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, UnreadableDocument) as error:
        raise _no_droplet("Uploaded bits are not a valid droplet file") from error


def _no_droplet(problem: str) -> ApiError:
    return unprocessable(f"Uploaded droplet file is invalid: {problem}")


def _process_types(file: IO[bytes]) -> dict[str, str]:
    """What `staging_info.yml` says; upstream's has only the command of the web process."""
    with tarfile.open(fileobj=file, mode="r:gz") as tar:
        found = next((each for each in tar if PurePosixPath(each.name) == _INFO and each.isfile()), None)
        content = tar.extractfile(found) if found else None
        info = read_yaml(content.read(_PIECE)) if content else None
    if not isinstance(info, dict):
        return {}
    types = info.get("process_types") or {"web": info.get("start_command") or ""}
    return {str(kind): str(command) for kind, command in types.items()} if isinstance(types, dict) else {}


async def pieces_of(path: Path) -> AsyncIterator[bytes]:
    """The content of a file. Raises 404 when it is gone."""
    try:
        file = await run_in_threadpool(path.open, "rb")
    except FileNotFoundError:
        raise not_found("Droplet") from None
    with file:
        while piece := await run_in_threadpool(file.read, _PIECE):
            yield piece


async def _pieces(upload: UploadFile) -> AsyncIterator[bytes]:
    while piece := await upload.read(_PIECE):
        yield piece


async def _pieces_of(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _empty_zip() -> bytes:
    return b"PK\x05\x06" + bytes(18)
