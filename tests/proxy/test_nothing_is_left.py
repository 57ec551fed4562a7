"""What is over is gone at once: the collector looks at old things hardly ever, so that a large table does not stop everything."""

import gc
import ssl
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cfroute.certificates import issue, make_authority
from cfroute.proxy.chunked import ChunkedDecoder

from ..http2.plumbing import Front as Http2Client
from ..waiting import until
from .plumbing import OK, get, running

pytestmark = pytest.mark.anyio
NOW = 1_700_000_000


@pytest.fixture(autouse=True)
def saved() -> Iterator[None]:
    """The collector keeps what it finds."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield
    gc.set_debug(0)
    gc.enable()
    gc.garbage.clear()


def cycles() -> list[str]:
    """What nobody had any more, and only the collector has found, by the names of the types."""
    gc.collect()
    found = [type(one) for one in gc.garbage]
    gc.garbage.clear()
    return [one.__name__ for one in found if one.__module__.startswith("cfroute.") or issubclass(one, ssl.SSLObject)]


def test_a_chunked_body() -> None:
    for data in (b"1\r\na\r\n0\r\n\r\n", b"0\r\nX: y\r\n\r\n"):
        decoder = ChunkedDecoder()
        decoder.feed(data)
        assert decoder.done
    del decoder
    assert cycles() == []


async def test_a_client_that_spoke_http2() -> None:
    client = Http2Client()
    client.request(1)
    client.frames()
    client.front.connection_lost(None)
    client.policy.finished_ones.clear()
    del client.front
    assert cycles() == []


@pytest.mark.parametrize("secure", [False, True])
async def test_a_client(tmp_path: Path, secure: bool) -> None:
    context, trust = _tls(tmp_path) if secure else (None, None)
    async with running(context=context) as rig:
        app = await rig.application()
        client = await rig.client(get("/", "Connection: close"), trust=trust)
        (await app.request()).send(OK)
        await client.rest()
        await until(lambda: not rig.server.connections)
        rig.policy.finished_times = Counter({id(one): 1 for one in rig.policy.exchanges})
        rig.policy.exchanges.clear()
        assert cycles() == []


def _tls(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = make_authority("test", NOW)
    pair = issue(authority, "server", ["a.test"], NOW)
    (folder / "certificate").write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return context, trust
