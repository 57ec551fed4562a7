"""Taking in what people upload: a multipart form with a file `bits`, streamed to the disk."""

import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from cfroute.cloud_controller.bits.blobs import Blobs, Part
from cfroute.cloud_controller.bits.multipart import FormReader, NoForm
from cfroute.cloud_controller.bits.staging_info import UnreadableDroplet, process_types
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import Exchange
from cfroute.cloud_controller.errors import BITS_INVALID, PACKAGE_INVALID, ApiError, not_found, unprocessable
from cfroute.cloud_controller.models import Resource

T = TypeVar("T")
Store = Callable[[Request, Part, int], Awaitable[T]]
"""Writes what a request uploads, of at most so many bytes, and says what was found in it. Raises ApiError."""

_PIECE = 1024 * 1024
_REST = 4 * 1024 * 1024  # bytes of a form besides its file
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


async def take_in(
    exchange: Exchange, admit: Callable[[Call], Path], store: Store[T], finish: Callable[[Call, T], Reply]
) -> Reply:
    """The answer to an upload: `admit` says where it goes, or refuses it, and `finish` notes what was found in it.

    Of several uploads to the same thing the first that is there whole is taken, and the others are refused as late ones: `admit`
    is asked again by the transaction in which the file takes its place.
    """
    path = await exchange.run(admit, write=False)
    async with exchange.platform.blobs.receiving(path) as part:
        found = await store(exchange.request, part, exchange.platform.config.max_package_size)

        def take(call: Call) -> Reply:
            admit(call)
            return finish(call, found)

        return await _settle(exchange, part, take)


async def create(
    exchange: Exchange,
    new: Callable[[Call], Reply],
    place: Callable[[Blobs, str], Path],
    source: Callable[[Call], Resource],
    copied: Callable[[Call, str, str], Reply],
) -> Reply:
    """The answer to making something that is to be uploaded; with `source_guid`, a copy of another one.

    place: where the bits of which guid are; source: what is to be copied, or the reason why not; copied notes the copy, by its
    guid and checksum.
    """
    raw = await exchange.body()
    if "source_guid" not in exchange.request.query_params:
        return await exchange.run(new, write=True, raw=raw)
    original = await exchange.run(lambda call: source(call).guid, write=False, raw=raw)
    blobs, guid = exchange.platform.blobs, exchange.platform.new_guid()
    async with blobs.receiving(place(blobs, guid)) as part:
        async for piece in _pieces_of(place(blobs, original)):
            await part.write(piece)
        return await _settle(exchange, part, lambda call: copied(call, guid, part.checksum), raw)


async def _settle(exchange: Exchange, part: Part, work: Callable[[Call], Reply], raw: bytes = b"") -> Reply:
    """Do the work, in whose transaction the file takes its place."""
    await part.sync()

    def settle(call: Call) -> Reply:
        reply = work(call)
        part.keep()
        return reply

    return await exchange.run(settle, write=True, raw=raw)


async def _pieces_of(path: Path) -> AsyncIterator[bytes]:
    """The content of a file. Raises 404 when it is gone."""
    try:
        file = await run_in_threadpool(path.open, "rb")
    except FileNotFoundError:
        raise not_found("Source") from None
    with file:
        while piece := await run_in_threadpool(file.read, _PIECE):
            yield piece


class _TooLarge(Exception):
    """More was sent than anybody may."""


async def _receive(request: Request, part: Part, largest: int) -> FormReader:
    """Write the form's file `bits`. Raises NoForm and _TooLarge."""
    form, received = FormReader(request.headers.get("content-type", ""), "bits"), 0
    async for piece in request.stream():
        received += len(piece)
        if content := form.feed(piece):
            await part.write(content)
        if part.size > largest or received > largest + _REST:
            raise _TooLarge
    form.end()
    return form


async def store_bits(request: Request, part: Part, largest: int) -> str:
    """Write the uploaded zip; its SHA-256. Raises 160001 when there is none, or it is no zip, and 150001 when it is too large.

    An upload without the file is an empty app: the cf CLI leaves the file out when the server has all of it.
    """
    try:
        form = await _receive(request, part, largest)
    except NoForm as error:
        raise _no_bits("not a multipart form") from error
    except _TooLarge as error:
        problem = f"The app package is invalid: Package may not be larger than {largest} bytes"
        raise ApiError(PACKAGE_INVALID, problem) from error
    if form.file_name is None and "resources" in form.names and "bits" not in form.names:
        await part.write(_EMPTY_ZIP)
    elif form.file_name is None:
        raise _no_bits("missing bits")
    elif not await run_in_threadpool(zipfile.is_zipfile, part.file):
        raise _no_bits("the bits are not a zip file")
    return part.checksum


def _no_bits(problem: str) -> ApiError:
    return ApiError(BITS_INVALID, f"The app upload is invalid: {problem}")


class StoredDroplet(NamedTuple):
    """process_types: the commands that whoever built it has found, by the type of process."""

    checksum: str
    process_types: dict[str, str]


async def store_droplet(request: Request, part: Part, largest: int) -> StoredDroplet:
    """Write the uploaded droplet. Raises 422 when there is none, or it is no tgz, or too large."""
    try:
        form = await _receive(request, part, largest)
    except NoForm as error:
        raise _no_droplet("A droplet tgz file must be uploaded as 'bits'") from error
    except _TooLarge as error:
        raise _no_droplet(f"A droplet may not be larger than {largest} bytes") from error
    name = form.file_name
    if name is None:
        raise _no_droplet("A droplet tgz file must be uploaded as 'bits'")
    if not name.endswith((".tgz", ".tar.gz")):
        raise _no_droplet(f"{name} is not a tgz")
    if not part.size:
        raise _no_droplet(f"{name} cannot be empty")
    part.file.seek(0)
    try:
        return StoredDroplet(part.checksum, await run_in_threadpool(process_types, part.file))
    except UnreadableDroplet as error:
        raise _no_droplet("Uploaded bits are not a valid droplet file") from error


def _no_droplet(problem: str) -> ApiError:
    return unprocessable(f"Uploaded droplet file is invalid: {problem}")
