"""A route service that writes down what passes through it: the example of the Cloud Foundry documentation.

Every request is forwarded to the URL in its X-CF-Forwarded-Url, with all its headers, so that Gorouter knows it again
by its signature. Environment:

    SKIP_SSL_VALIDATION        true: trust any certificate (default false)
    ROUTE_SERVICE_SLEEP_MILLI  wait so long before forwarding
    REDACT_SIGNATURE           true: keep the signature, which is a secret, out of the log
"""

import http.client
import os
import threading
import time
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from forwarding import NoTarget, Target, open_connection
from serving import Handler, say, serve

FORWARDED_URL = "X-Cf-Forwarded-Url"
SIGNATURE = "X-Cf-Proxy-Signature"
SHOWN = 32 * 1024  # bytes of a body that are shown; what is longer streams through
CHUNK = 64 * 1024
# RFC 9110, 7.6.1: they belong to one connection, and are not forwarded
PER_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


def switch(name: str) -> bool:
    """A switch of the environment, as Go reads one."""
    return os.environ.get(name, "").lower() in ("1", "t", "true")


def log(text: str = "") -> None:
    """One line, as Go's log package writes it."""
    say(f"{datetime.now():%Y/%m/%d %H:%M:%S} {text}")


def go_header(headers: list[tuple[str, str]]) -> str:
    """Headers as Go shows an http.Header."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        canonical = "-".join(part.capitalize() for part in name.split("-"))
        values.setdefault(canonical, []).append('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"')
    shown = (f'"{name}":[]string{{{", ".join(each)}}}' for name, each in sorted(values.items()))
    return f"http.Header{{{', '.join(shown)}}}"


class Body:
    """A body whose beginning can be shown before it is passed on."""

    def __init__(self, pieces: Iterator[bytes], show: bool = True) -> None:
        self._pieces = pieces
        self._held: list[bytes] = []
        self.complete = False
        while show and sum(map(len, self._held)) < SHOWN:
            piece = next(pieces, None)
            if piece is None:
                self.complete = True
                break
            self._held.append(piece)

    def text(self) -> str:
        """What is to be shown of it."""
        held = b"".join(self._held)
        return held[:SHOWN].decode("utf-8", "replace") + ("" if self.complete else " ... (goes on)")

    def __iter__(self) -> Iterator[bytes]:
        yield from (piece for piece in self._held if piece)
        yield from self._pieces

    def size(self) -> int | None:
        """Its size, when it is known already."""
        return sum(map(len, self._held)) if self.complete else None


class RouteService(Handler):
    """One connection from Gorouter."""

    def do_GET(self) -> None:
        """Every method comes here. Whatever goes wrong is answered; nothing ends the process."""
        try:
            self._forward()
        except NoTarget as error:
            self._fail(502, str(error))
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            self._fail(502, f"{type(error).__name__}: {error}")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_TRACE = do_GET

    def _fail(self, status: int, reason: str) -> None:
        log(f"http: proxy error: {reason}")
        self.close_connection = True
        if not self._answering:
            self.answer(status, Connection="close")

    def _forward(self) -> None:
        self._answering = False
        url = self.headers.get(FORWARDED_URL, "")
        body = Body(self.pieces())
        self._log_request(url, body)
        self._sleep()
        target = Target.parse(url)
        log(f"Forwarding to: {url}")
        connection = open_connection(target, skip_validation=switch("SKIP_SSL_VALIDATION"))
        try:
            unzip = "Accept-Encoding" not in self.headers
            self._send(connection, target, body, unzip)
            response = connection.getresponse()
            if response.status == 101:
                self._switch_protocols(connection, response)
            else:
                self._pass_on(response, unzip)
        finally:
            connection.close()

    def _log_request(self, url: str, body: Body) -> None:
        redact = switch("REDACT_SIGNATURE")
        signature = self.headers.get(SIGNATURE, "")
        headers = [
            (name, "(redacted)" if redact and name.lower() == SIGNATURE.lower() else value)
            for name, value in self.headers.items()
            if name.lower() != "host"
        ]
        log("Received request: ")
        log(f"{FORWARDED_URL}: {url}")
        log(f"{SIGNATURE}: {'(redacted)' if redact and signature else signature}")
        log()
        log(f"Headers: {go_header(headers)}")
        log()
        log(f"Request Body: {body.text()}")

    def _sleep(self) -> None:
        text = os.environ.get("ROUTE_SERVICE_SLEEP_MILLI", "")
        if text:
            milliseconds = int(text)
            log(f"Sleeping for {milliseconds} milliseconds")
            time.sleep(max(milliseconds, 0) / 1000)

    def _send(self, connection: http.client.HTTPConnection, target: Target, body: Body, unzip: bool) -> None:
        connection.putrequest(self.command, target.request_target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", target.host_header)
        upgrade = self.headers.get("Upgrade")
        for name, value in self.headers.items():
            if name.lower() not in PER_HOP | {"host", "x-forwarded-for", "content-length"}:
                connection.putheader(name, value)
        way = [*self.headers.get_all("X-Forwarded-For", []), self.client_address[0]]
        connection.putheader("X-Forwarded-For", ", ".join(way))
        if unzip:
            connection.putheader("Accept-Encoding", "gzip")
        if upgrade:
            connection.putheader("Connection", "Upgrade")
            connection.putheader("Upgrade", upgrade)
        length = self.headers.get("Content-Length")
        chunked = length is None and "Transfer-Encoding" in self.headers
        if length is not None:
            connection.putheader("Content-Length", length)
        elif chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(body if length or chunked else None, encode_chunked=chunked)

    def _pass_on(self, response: http.client.HTTPResponse, unzip: bool) -> None:
        headers = response.getheaders()
        unzip = unzip and response.getheader("Content-Encoding", "").lower() == "gzip"
        pieces = _unzipped(response) if unzip else iter(lambda: response.read1(CHUNK), b"")
        streams = response.getheader("Content-Type", "").startswith("text/event-stream")
        body = Body(pieces, show=not streams)
        log()
        log(f"Response Headers: {go_header(headers)}")
        log()
        log(f"Response Body: {body.text()}")
        log()
        log("Sending response to GoRouter...")
        without = PER_HOP | ({"content-length", "content-encoding"} if unzip else set())
        kept = [(name, value) for name, value in headers if name.lower() not in without]
        self._answer_with(response.status, response.reason, kept, body)

    def _answer_with(self, status: int, reason: str, headers: list[tuple[str, str]], body: Body) -> None:
        self._answering = True
        bodiless = self.command == "HEAD" or status in (204, 304)
        sized = any(name.lower() == "content-length" for name, _ in headers)
        self.send_response_only(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        if not bodiless and not sized:
            if body.size() is not None:
                self.send_header("Content-Length", str(body.size()))
                sized = True
            else:
                self.send_header("Transfer-Encoding", "chunked")
        if self.server.ending:
            self.send_header("Connection", "close")
        self.end_headers()
        if bodiless:
            return
        for piece in body:
            self.wfile.write(piece if sized else b"%x\r\n%b\r\n" % (len(piece), piece))
        if not sized:
            self.wfile.write(b"0\r\n\r\n")

    def _switch_protocols(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._answering = True
        self.close_connection = True
        log("Sending response to GoRouter...")
        self.send_response_only(101, response.reason)
        for name, value in response.getheaders():
            self.send_header(name, value)
        self.end_headers()
        other, ours = connection.sock, self.connection
        other.settimeout(None)
        ours.settimeout(None)
        self.server.may_end(ours)
        back = threading.Thread(target=_relay, args=(response.fp, self.wfile, ours))
        back.start()
        _relay(self.rfile, other.makefile("wb", 0), other)
        back.join()


def _relay(reading: BinaryIO, writing: BinaryIO, to: object) -> None:
    """Copy until the end, and pass the end on."""
    import socket

    assert isinstance(to, socket.socket)
    try:
        while data := reading.read1(CHUNK):  # type: ignore[attr-defined]
            writing.write(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        try:
            to.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # both sides are gone


def _unzipped(response: http.client.HTTPResponse) -> Iterator[bytes]:
    unzip = zlib.decompressobj(wbits=31)
    while data := response.read1(CHUNK):
        yield unzip.decompress(data)
    yield unzip.flush()


if __name__ == "__main__":
    log(f"Skip ssl validation set to {str(switch('SKIP_SSL_VALIDATION')).lower()}")
    serve(RouteService)
