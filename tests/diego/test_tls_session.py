"""A TLS session against a client that is OpenSSL's as well, without any socket."""

import contextlib
import ssl
from pathlib import Path

import pytest

from cfroute.diego.cell.proxy import server_context
from cfroute.diego.cell.tls_session import TLSSession

from .tls import Authorities

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Client:
    """The other end: hands what it has to say to the session, byte by byte if so wished."""

    def __init__(self, session: TLSSession, context: ssl.SSLContext, *, step: int = 1 << 20) -> None:
        self._session = session
        self._step = step
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="instance-1")
        self.ended = False

    def shake_hands(self) -> None:
        for _ in range(4):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self.pass_on()

    def pass_on(self) -> bytes:
        """Everything that was written so far reaches the session; what it makes of it."""
        data, plain = self._outgoing.read(), b""
        for start in range(0, len(data), self._step):
            plain += self._session.receive(data[start : start + self._step])
            self._incoming.write(self._session.reply())
        return plain

    def say(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.pass_on()

    def end(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.pass_on()

    def hear(self, data: bytes) -> bytes:
        self._incoming.write(data)
        heard = b""
        try:
            while piece := self.tls.read(1 << 20):
                heard += piece
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return heard


@pytest.fixture
def authorities(tmp_path: Path) -> Authorities:
    return Authorities(tmp_path)


@pytest.fixture
def session(authorities: Authorities) -> TLSSession:
    return TLSSession(server_context(authorities.identity(), [authorities.router_ca]))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_bytes_go_both_ways_however_they_are_cut(
    authorities: Authorities, session: TLSSession, version: ssl.TLSVersion, step: int
) -> None:
    client = Client(session, authorities.router(version=version), step=step)
    client.shake_hands()
    assert session.established
    text = b"0123456789" * (20 if step == 1 else 5000)
    assert client.say(text) == text
    assert client.hear(session.send(text)) == text
    assert client.hear(session.send(b"x" * 300_000)) == b"x" * 300_000
    assert not session.ended


@pytest.mark.parametrize("version", VERSIONS)
def test_the_client_ends_and_still_hears(authorities: Authorities, session: TLSSession, version: ssl.TLSVersion) -> None:
    client = Client(session, authorities.router(version=version))
    client.shake_hands()
    client.tls.write(b"the last word")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.tls.unwrap()
    assert client.pass_on() == b"the last word"
    assert session.ended
    client.hear(session.send(b"an answer") + session.end())
    assert client.ended


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_ends_and_still_hears(authorities: Authorities, session: TLSSession, version: ssl.TLSVersion) -> None:
    client = Client(session, authorities.router(version=version))
    client.shake_hands()
    assert client.hear(session.send(b"done") + session.end()) == b"done"
    assert client.ended
    if version is ssl.TLSVersion.TLSv1_3:  # before, whoever was told the end had to end at once
        assert client.say(b"one more thing") == b"one more thing"
    client.end()
    assert session.ended


def test_who_is_not_known_is_refused(authorities: Authorities, session: TLSSession) -> None:
    client = Client(session, authorities.router(known=False))
    with pytest.raises(ssl.SSLError, match="CERTIFICATE"):
        client.shake_hands()
    assert session.reply()  # the alert
    assert not session.established


def test_what_is_no_tls_is_refused(session: TLSSession) -> None:
    with pytest.raises(ssl.SSLError):
        session.receive(b"GET / HTTP/1.1\r\n\r\n")
