"""One request, its response, and what becomes of the two connections."""

import pytest

from .plumbing import OK, OK_TO_CLIENT, Rig, get, post

pytestmark = pytest.mark.anyio


async def test_a_request_and_its_response(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/a?b=c", "X-One: 1", "Accept: */*"))
    backend = await app.connection()
    assert await backend.head() == b"GET /a?b=c HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX-One: 1\r\n\r\n"
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert rig.told == ["begin /a?b=c", "response 200", "finished 200"]


async def test_connections_serve_one_exchange_after_another(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client()
    client.send(get())
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    client.send(post(b"abc"))
    assert await backend.next_request() == b"abc"
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert app.connections == 1
