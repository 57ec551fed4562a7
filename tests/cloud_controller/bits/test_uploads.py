"""Uploads: one at a time to each thing, of a size that anybody may send, and on the disk whole or not at all."""

import asyncio
import dataclasses
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from ..resources.test_droplets import body as droplet_body
from ..resources.test_droplets import tgz
from ..resources.test_staging import bits, package

TWICE = "Droplet may be uploaded only once. Create a new droplet to upload bits."
BITS_TWICE = "Bits may be uploaded only once. Create a new package to upload different bits."


def new_package(cc: Any) -> str:
    return f"/v3/packages/{package(cc, cc.app())['guid']}"


def new_droplet(cc: Any) -> str:
    return f"/v3/droplets/{cc.ok('POST', '/v3/droplets', droplet_body(cc.app()))['guid']}"


def stored(cc: Any) -> list[Path]:
    """All files of the blob store."""
    return [path for path in Path(cc.platform.config.blobs).rglob("*") if path.is_file()]


def at_once(cc: Any, path: str, name: str, contents: list[bytes]) -> list[httpx.Response]:
    """The answers to uploads of which none goes on before all have been let in."""
    waiting = len(contents)
    everybody = asyncio.Event()

    async def one(content: bytes) -> httpx.Response:
        form = httpx.Request("POST", "http://api.test", files={"bits": (name, content)})

        async def sent() -> AsyncIterator[bytes]:
            nonlocal waiting
            waiting -= 1
            if not waiting:
                everybody.set()
            await everybody.wait()
            yield form.read()

        headers = {"Authorization": cc.token(*cc.scopes), "Content-Type": form.headers["content-type"]}
        transport = httpx.ASGITransport(cc._external)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            return await client.post(f"{path}/upload", content=sent(), headers=headers)

    async def all_of_them() -> list[httpx.Response]:
        async with asyncio.timeout(30):
            return await asyncio.gather(*map(one, contents))

    return list(cc.runner.run(all_of_them()))


@pytest.mark.parametrize(
    ("new", "name", "contents", "refusal"),
    [
        (new_package, "p.zip", [bits(main="1"), bits(main="22"), bits(main="333")], (400, 150004, BITS_TWICE)),
        (new_droplet, "d.tgz", [tgz(app="1"), tgz(app="22"), tgz(app="333")], (422, 10008, TWICE)),
    ],
    ids=["package", "droplet"],
)
def test_of_uploads_at_once_one_is_taken(
    cc: Any, new: Callable[[Any], str], name: str, contents: list[bytes], refusal: tuple[int, int, str]
) -> None:
    path = new(cc)
    answers = at_once(cc, path, name, contents)
    taken = [content for answer, content in zip(answers, contents, strict=True) if answer.is_success]
    refused = [answer for answer in answers if not answer.is_success]
    assert [cc("GET", f"{path}/download").content] == taken
    errors = [(answer.status_code, answer.json()["errors"][0]) for answer in refused]
    assert [(status, each["code"], each["detail"]) for status, each in errors] == [refusal] * 2
    assert len(stored(cc)) == 1


@pytest.mark.parametrize(
    ("new", "name", "answer"),
    [
        (new_package, "p.zip", (400, 150001, "The app package is invalid: Package may not be larger than 1000 bytes")),
        (new_droplet, "d.tgz", (422, 10008, "Uploaded droplet file is invalid: A droplet may not be larger than 1000 bytes")),
    ],
    ids=["package", "droplet"],
)
def test_there_is_a_limit(cc: Any, new: Callable[[Any], str], name: str, answer: tuple[int, int, str]) -> None:
    config = msgspec.structs.replace(cc.platform.config, max_package_size=1000)
    cc.platform = dataclasses.replace(cc.platform, config=config)
    path = new(cc)
    response = cc("POST", f"{path}/upload", files={"bits": (name, bytes(1001))})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["code"], error["detail"]) == answer
    assert cc.ok("GET", path)["state"] == "AWAITING_UPLOAD"
    assert stored(cc) == []


def test_what_stands_beside_the_bits_has_a_limit(cc: Any) -> None:
    config = msgspec.structs.replace(cc.platform.config, max_package_size=1000)
    cc.platform = dataclasses.replace(cc.platform, config=config)
    response = cc("POST", f"{new_package(cc)}/upload", files={"resources": (None, bytes(5 * 1024 * 1024))})
    assert response.json()["errors"][0]["code"] == 150001


def test_what_is_refused_can_be_sent_again(cc: Any) -> None:
    path, zipped = new_package(cc), bits(main="print()")
    assert cc("POST", f"{path}/upload", files={"bits": ("p.zip", b"no zip")}).status_code == 400
    assert cc.ok("POST", f"{path}/upload", files={"bits": ("p.zip", zipped)})["state"] == "READY"
    assert zipfile.ZipFile(io.BytesIO(cc("GET", f"{path}/download").content)).namelist() == ["main"]
