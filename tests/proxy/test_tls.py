"""TLS towards clients and towards backends, and every way in which it fails."""

import asyncio
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from cfroute.certificates import Pair, issue, make_authority
from cfroute.clock import SystemClock
from cfroute.proxy.backend import Destination
from cfroute.proxy.doorway import Doorway
from cfroute.proxy.failure import Kind

from ..waiting import until
from .plumbing import OK, OK_TO_CLIENT, Rig, get, listen, post, running
from .test_tunnel import SWITCHED, UPGRADE

pytestmark = pytest.mark.anyio

NOW = SystemClock().now()
DAY = 86400.0


class Authority:
    """A certificate authority, and the TLS contexts that come from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pair = make_authority("authority", NOW)

    def identity(self, *names: str, now: float = NOW, days: float = 30) -> ssl.SSLContext:
        """That of a server with these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certify(context, issue(self._pair, "server", names, now, days=days))
        return context

    def certify(self, context: ssl.SSLContext, pair: Pair | None = None) -> None:
        """Give the context a certificate."""
        certificate, key = pair or issue(self._pair, "client", ["client.test"], NOW)
        (self._folder / "certificate.pem").write_bytes(certificate)
        (self._folder / "key.pem").write_bytes(key)
        context.load_cert_chain(self._folder / "certificate.pem", self._folder / "key.pem")

    def trust(self) -> ssl.SSLContext:
        """That of a client who trusts this authority."""
        context = ssl.create_default_context(cadata=self._pair.certificate.decode())
        context.hostname_checks_common_name = False
        return context

    def demand(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Make the server want a certificate of its clients."""
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self._pair.certificate.decode())
        return context


@contextlib.contextmanager
def blocking(identity: ssl.SSLContext) -> Iterator[int]:
    """The port of a backend that only shakes hands. Unlike that of the event loop, its TLS says why it refuses a client."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), identity.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def tls(anyio_backend: Any, authority: Authority) -> AsyncIterator[Rig]:
    """A proxy that speaks TLS with its clients."""
    async with running(context=authority.identity("a.test")) as rig:
        yield rig


# Towards clients


async def test_a_request_over_tls(tls: Rig, authority: Authority) -> None:
    app = await tls.application()
    client = await tls.client(get(), trust=authority.trust())
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    client.send(post(b"x" * 500_000))
    assert len(await backend.next_request()) == 500_000
    backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000)
    assert len((await client.response())[2]) == 900_000
    front = await tls.front()
    assert front.tls is not None
    assert front.tls.version() == "TLSv1.3"


async def test_a_client_over_tls_goes(tls: Rig, authority: Authority) -> None:
    app = await tls.application()
    client = await tls.client(get(), trust=authority.trust())
    backend = await app.request()
    client.close()
    await backend.nothing_more()
    await tls.finished()
    assert tls.told == ["begin /", "failed CANCELLED", "finished 499"]


async def test_a_last_response_over_tls_is_sent_in_full(tls: Rig, authority: Authority) -> None:
    """The client is not of the event loop: its TLS forgets what it has not handed over when the connection ends."""

    def fetch() -> bytes:
        with (
            socket.create_connection(("127.0.0.1", tls.port)) as connection,
            authority.trust().wrap_socket(connection, server_hostname="a.test") as client,
        ):
            client.sendall(get("/", "Connection: close"))
            asyncio.run_coroutine_threadsafe(served.wait(), loop).result()
            return b"".join(iter(lambda: client.recv(1 << 16), b""))

    served, loop = asyncio.Event(), asyncio.get_running_loop()
    app = await tls.application()
    fetching = asyncio.ensure_future(asyncio.to_thread(fetch))
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 900_000)
    backend.close()
    await tls.finished()
    served.set()
    assert (await fetching).count(b"x") == 900_000


async def test_a_refusal_over_tls(tls: Rig, authority: Authority) -> None:
    client = await tls.client(b"nonsense\r\n\r\n", trust=authority.trust())
    assert (await client.head()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    await client.expect(b"400 Bad Request")
    tls.advance(1)
    await client.nothing_more()


async def test_a_slow_client_over_tls_stops_the_backend(tls: Rig, authority: Authority) -> None:
    app = await tls.application()
    client = await tls.client(get(), trust=authority.trust())
    client.stop_reading()
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(backend.send_all(b"x" * 64_000_000), 0.5)
    front = await tls.front()
    assert front._blocked
    assert front.transport.get_write_buffer_size() < 1 << 20
    client.go_on_reading()
    assert len((await client.response())[2]) == 64_000_000


async def test_a_tunnel_over_tls_at_both_ends(tls: Rig, authority: Authority) -> None:
    app = await tls.application(identity=authority.identity("b.test"), context=authority.trust(), name="b.test")
    client = await tls.client(UPGRADE + b"early", trust=authority.trust())
    backend = await app.request()
    backend.send(SWITCHED + b"worm")
    await client.expect(SWITCHED + b"worm")
    await backend.expect(b"early")
    client.send(b"last words")
    await backend.expect(b"last words")
    client.close()
    await backend.nothing_more()
    await tls.finished()
    assert tls.told[-1] == "finished 101"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
async def test_who_speaks_plain_http_is_told_so(tls: Rig, method: str) -> None:
    client = await tls.client(get(method=method))
    await client.expect(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
    await client.nothing_more()
    tls.advance(1)
    assert [reason for _, reason in tls.witness.handshakes] == ["client sent an HTTP request to an HTTPS server"]
    assert tls.told == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"DELETE / HTTP/1.1\r\n\r\n", "tls: first record does not look like a TLS handshake"),
        (b"G", "EOF"),
        (b"\x16\x03\x01\x00\x01\x00", "EOF"),
    ],
)
async def test_who_does_not_speak_tls_is_not_heard(tls: Rig, sent: bytes, reason: str) -> None:
    client = await tls.client(sent)
    client.end()
    await client.rest()
    await until(lambda: tls.witness.handshakes)
    assert tls.witness.handshakes == [("{}:{}".format(*client.socket.getsockname()), reason)]
    assert not tls.server.connections
    tls.advance(1)


async def test_who_says_nothing_is_closed_in_the_end(tls: Rig) -> None:
    client = await tls.client()
    [doorway] = tls.server._listeners
    assert isinstance(doorway, Doorway)
    await until(lambda: doorway._waiting)
    tls.advance(59)
    gone = await tls.client()
    gone.close()
    await until(lambda: tls.witness.handshakes)
    tls.advance(5)
    await client.nothing_more()
    reasons = [reason for _, reason in tls.witness.handshakes]
    assert reasons[0] == "EOF"
    assert re.fullmatch(r"read tcp [0-9.:]+->[0-9.:]+: i/o timeout", reasons[1])


async def test_who_says_nothing_does_not_outlive_the_listener(tls: Rig) -> None:
    client = await tls.client()
    [doorway] = tls.server._listeners
    assert isinstance(doorway, Doorway)
    await until(lambda: doorway._waiting)
    tls.server.stop_listening()
    await client.nothing_more()


async def test_who_does_not_finish_the_handshake_does_not_stop_the_others(tls: Rig, authority: Authority) -> None:
    await tls.client()
    app = await tls.application()
    client = await tls.client(get(), trust=authority.trust())
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)


# Towards backends


async def test_a_backend_over_tls(rig: Rig, authority: Authority) -> None:
    app = await rig.application(identity=authority.identity("b.test"), context=authority.trust(), name="b.test")
    client = await rig.client(get() + post(b"x" * 500_000))
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert len(await backend.next_request()) == 500_000
    backend.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    backend.close()
    await client.head()
    assert await client.chunks() == b"until the end"
    assert rig.told[-1] == "finished 200"


async def test_a_backend_over_tls_is_known_by_its_address(rig: Rig, authority: Authority) -> None:
    app = await rig.application(identity=authority.identity("127.0.0.1"), context=authority.trust(), name="127.0.0.1")
    client = await rig.client(get())
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)


async def test_a_slow_backend_over_tls_stops_the_client(rig: Rig, authority: Authority) -> None:
    app = await rig.application(identity=authority.identity("b.test"), context=authority.trust(), name="b.test")
    client = await rig.client(get("/", "Content-Length: 64000000", method="POST"))
    backend = await app.request()
    backend.stop_reading()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send_all(b"x" * 64_000_000), 0.5)
    front = await rig.front()
    assert front._paused
    assert front.exchange is not None
    assert front.exchange.backend is not None
    assert front.exchange.backend.transport.get_write_buffer_size() < 1 << 20
    backend.go_on_reading()
    assert len(await backend.read(64_000_000)) == 64_000_000


async def answer_to(rig: Rig) -> tuple[Kind, str]:
    """What becomes of a request to the only application. Checked: it counts as not sent, on no connection."""
    client = await rig.client(get())
    assert (await client.response())[0] == 502
    [failure] = rig.policy.failures
    assert (failure.got_connection, failure.wrote_headers, failure.reused) == (False, False, False)
    return failure.kind, failure.text


VERIFY = "tls: failed to verify certificate: x509: "


async def test_a_backend_with_another_name(rig: Rig, authority: Authority) -> None:
    await rig.application(identity=authority.identity("c.test"), context=authority.trust(), name="b.test")
    assert await answer_to(rig) == (Kind.HOSTNAME_MISMATCH, f"{VERIFY}certificate is valid for c.test, not b.test")


async def test_a_backend_with_another_address(rig: Rig, authority: Authority) -> None:
    await rig.application(identity=authority.identity("127.0.0.2"), context=authority.trust(), name="127.0.0.1")
    assert await answer_to(rig) == (Kind.HOSTNAME_MISMATCH, f"{VERIFY}certificate is valid for 127.0.0.2, not 127.0.0.1")


async def test_a_backend_with_a_common_name_only(rig: Rig, authority: Authority) -> None:
    await rig.application(identity=authority.identity(), context=authority.trust(), name="server")
    text = f"{VERIFY}certificate relies on legacy Common Name field, use SANs instead"
    assert await answer_to(rig) == (Kind.HOSTNAME_MISMATCH, text)


@pytest.mark.parametrize("name", [".b.test", "b..test", "x" * 64 + ".test"])
async def test_a_name_that_no_backend_can_have(rig: Rig, authority: Authority, name: str) -> None:
    await rig.application(identity=authority.identity("b.test"), context=authority.trust(), name=name)
    assert await answer_to(rig) == (Kind.HOSTNAME_MISMATCH, f"{VERIFY}certificate is not valid for {name}")


@pytest.mark.parametrize("made", [NOW - 40 * DAY, NOW + 40 * DAY], ids=["past", "future"])
async def test_a_backend_with_a_certificate_out_of_its_time(rig: Rig, authority: Authority, made: float) -> None:
    await rig.application(identity=authority.identity("b.test", now=made), context=authority.trust(), name="b.test")
    kind, text = await answer_to(rig)
    assert kind is Kind.UNTRUSTED
    expected = r"certificate has expired or is not yet valid: current time \S+ is (after|before) \S+"
    assert re.fullmatch(re.escape(VERIFY) + expected, text)


async def test_a_backend_of_an_unknown_authority(rig: Rig, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    await rig.application(identity=other.identity("b.test"), context=authority.trust(), name="b.test")
    assert await answer_to(rig) == (Kind.UNTRUSTED, f"{VERIFY}certificate signed by unknown authority")


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 smtp\r\n", b"\x00" * 20])
async def test_a_backend_that_does_not_speak_tls(rig: Rig, authority: Authority, words: bytes) -> None:
    app = await rig.application(context=authority.trust(), name="b.test")
    answering = asyncio.ensure_future(answer_to(rig))
    backend = await app.connection()
    await backend.read(1)
    backend.send(words)
    assert await answering == (Kind.NOT_TLS, "tls: first record does not look like a TLS handshake")


async def test_a_backend_that_hangs_up_on_a_handshake(rig: Rig, authority: Authority) -> None:
    app = await rig.application(context=authority.trust(), name="b.test")
    answering = asyncio.ensure_future(answer_to(rig))
    (await app.connection()).close()
    assert (await answering)[0] in (Kind.EOF, Kind.RESET)


async def test_a_backend_that_resets_a_handshake(rig: Rig, authority: Authority) -> None:
    app = await rig.application(context=authority.trust(), name="b.test")
    answering = asyncio.ensure_future(answer_to(rig))
    backend = await app.connection()
    await backend.read(1)
    backend.reset()
    kind, text = await answering
    assert kind is Kind.RESET
    assert re.fullmatch(r"read tcp 127.0.0.1:\d+->127.0.0.1:\d+: read: connection reset by peer", text)


async def test_a_backend_that_takes_too_long_for_the_handshake(rig: Rig, authority: Authority) -> None:
    app = await rig.application(context=authority.trust(), name="b.test", handshake_timeout=0.05)
    assert await answer_to(rig) == (Kind.HANDSHAKE_TIMEOUT, "net/http: TLS handshake timeout")
    await (await app.connection()).rest()


async def test_a_backend_that_does_not_take_our_version(rig: Rig, authority: Authority) -> None:
    identity, trust = authority.identity("b.test"), authority.trust()
    identity.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.minimum_version = ssl.TLSVersion.TLSv1_3
    with blocking(identity) as port:
        rig.policy.destinations.append(Destination("127.0.0.1", port, context=trust, name="b.test"))
        assert await answer_to(rig) == (Kind.HANDSHAKE, "remote error: tls: protocol version not supported")


async def test_a_backend_that_does_not_take_our_ciphers(rig: Rig, authority: Authority) -> None:
    identity, trust = authority.identity("b.test"), authority.trust()
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the certificate has no RSA key
    with blocking(identity) as port:
        rig.policy.destinations.append(Destination("127.0.0.1", port, context=trust, name="b.test"))
        assert await answer_to(rig) == (Kind.HANDSHAKE, "remote error: tls: handshake failure")


async def test_a_backend_that_demands_a_certificate_during_the_handshake(rig: Rig, authority: Authority) -> None:
    identity = authority.demand(authority.identity("b.test"))
    identity.maximum_version = ssl.TLSVersion.TLSv1_2
    with blocking(identity) as port:
        rig.policy.destinations.append(Destination("127.0.0.1", port, context=authority.trust(), name="b.test"))
        # Without a certificate OpenSSL's servers say "handshake failure" here; Go's say "bad certificate".
        assert await answer_to(rig) == (Kind.HANDSHAKE, "remote error: tls: handshake failure")


async def test_a_backend_that_demands_a_certificate_after_the_handshake(rig: Rig, authority: Authority) -> None:
    """In TLS 1.3 the client has finished before the server looks at its certificate; the request may be on its way by then."""
    with blocking(authority.demand(authority.identity("b.test"))) as port:
        rig.policy.destinations.append(Destination("127.0.0.1", port, context=authority.trust(), name="b.test"))
        for _ in range(20):
            client = await rig.client(get())
            assert (await client.response())[0] == 502
            failure = rig.policy.failures.pop()
            assert (failure.kind, failure.text) == (Kind.CLIENT_CERTIFICATE_REFUSED, "remote error: tls: certificate required")


async def test_a_backend_that_does_not_know_our_certificate(rig: Rig, authority: Authority, tmp_path: Path) -> None:
    trust = authority.trust()
    Authority(tmp_path).certify(trust)
    with blocking(authority.demand(authority.identity("b.test"))) as port:
        rig.policy.destinations.append(Destination("127.0.0.1", port, context=trust, name="b.test"))
        client = await rig.client(get())
        assert (await client.response())[0] == 502
    [failure] = rig.policy.failures
    text = "remote error: tls: unknown certificate authority"
    assert (failure.kind, failure.text) == (Kind.CLIENT_CERTIFICATE_REFUSED, text)


async def test_a_backend_that_gets_the_certificate_it_demands(rig: Rig, authority: Authority) -> None:
    trust = authority.trust()
    authority.certify(trust)
    app = await rig.application(identity=authority.demand(authority.identity("b.test")), context=trust, name="b.test")
    client = await rig.client(get())
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)


async def test_a_backend_over_tls_that_closes_an_idle_connection(rig: Rig, authority: Authority) -> None:
    app = await rig.application(identity=authority.identity("b.test"), context=authority.trust(), name="b.test")
    client = await rig.client(get())
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    idle = app.destination.idle[0]
    backend.close()
    await until(lambda: idle.closed)
    client.send(post(b"abc"))
    again = await app.connection()
    assert await again.next_request() == b"abc"


async def test_a_plain_application_is_not_asked_for_tls(rig: Rig) -> None:
    app = await listen()
    assert app.destination.context is None
    app.listener.close()
