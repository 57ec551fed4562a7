"""Taking in the bits of an app: a multipart form with a file `bits` and a list `resources`, streamed to the disk."""

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

from python_multipart.exceptions import FormParserError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cfroute.cloud_controller.blobs import Blobs
from cfroute.cloud_controller.errors import BITS_INVALID, ApiError

_PIECE = 1024 * 1024


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
    except (HTTPException, FormParserError, AssertionError) as error:
        raise ApiError(BITS_INVALID, "The app upload is invalid: not a multipart form") from error


async def _pieces(upload: UploadFile) -> AsyncIterator[bytes]:
    while piece := await upload.read(_PIECE):
        yield piece


async def _pieces_of(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _empty_zip() -> bytes:
    return b"PK\x05\x06" + bytes(18)
