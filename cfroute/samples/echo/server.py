"""Answers with what it was asked, and does what proxies find hard, on demand.

    ANY  /…                      the request as JSON, with the first 64 KiB of its body
    GET  /ws                     WebSocket: every message comes back
    GET  /sse?events=&seconds=   server-sent events, one after the other
    ANY  /slow?seconds=          the answer comes late
    GET  /drip?bytes=&seconds=   the body comes byte by byte
    ANY  /status/CODE            that status
    GET  /bytes/N                a body of N bytes
    ANY  /hang                   no answer at all, the connection stays open
    ANY  /crash                  the connection breaks in the middle of the answer
    ANY  /exit?status=           the app ends
"""

import json
import os
import socket
import struct
import time
from urllib.parse import parse_qs, urlsplit

import websocket
from serving import Handler, say, serve

BLOCK = b"0123456789abcdef" * 4096
LONGEST = 3600.0  # s
SHOWN = 64 * 1024  # bytes of a body that come back


class Echo(Handler):
    """One connection."""

    def do_GET(self) -> None:
        """Every method comes here."""
        url = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        first, _, rest = url.path.strip("/").partition("/")
        special = {
            "ws": self.ws,
            "sse": self.sse,
            "slow": self.slow,
            "drip": self.drip,
            "status": self.status,
            "bytes": self.bytes,
            "hang": self.hang,
            "crash": self.crash,
            "exit": self.exit,
        }
        try:
            special.get(first, self.echo)(rest)
        except ValueError as error:
            self.close_connection = True
            self.answer(400, f"{error}\n".encode(), Connection="close")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_GET

    def number(self, name: str, default: float) -> float:
        """A number of the query. Raises ValueError."""
        return min(max(float(self.query.get(name, default)), 0.0), LONGEST)

    def echo(self, _rest: str) -> None:
        shown, size = b"", 0
        for piece in self.pieces():
            size += len(piece)
            shown += piece[: SHOWN - len(shown)]
        said = {
            "method": self.command,
            "path": self.path,
            "version": self.request_version,
            "headers": [[name, value] for name, value in self.headers.items()],
            "body": shown.decode("utf-8", "replace"),
            "body_bytes": size,
            "peer": self.client_address[0],
            "instance": {
                "index": os.environ.get("CF_INSTANCE_INDEX", ""),
                "guid": os.environ.get("CF_INSTANCE_GUID", ""),
                "address": os.environ.get("CF_INSTANCE_ADDR", ""),
            },
        }
        self.answer(200, json.dumps(said, indent=2).encode() + b"\n", "application/json")

    def slow(self, _rest: str) -> None:
        self.skip_body()
        time.sleep(self.number("seconds", 5))
        self.answer(200, b"at last\n")

    def status(self, rest: str) -> None:
        code = int(rest)
        if not 200 <= code <= 599:
            raise ValueError("a status is a number from 200 to 599")
        self.skip_body()
        self.answer(code, b"" if code in (204, 304) else f"{code}\n".encode())

    def bytes(self, rest: str) -> None:
        left = int(rest)
        self.skip_body()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(left))
        self.end_headers()
        while left > 0 and self.command != "HEAD":
            self.wfile.write(BLOCK[:left])
            left -= len(BLOCK)

    def drip(self, _rest: str) -> None:
        count = int(self.number("bytes", 10))
        pause = self.number("seconds", 1) / max(count, 1)
        self.skip_body()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(count))
        self.end_headers()
        for _ in range(count):
            self.wfile.write(b".")
            time.sleep(pause)

    def sse(self, _rest: str) -> None:
        self.skip_body()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for number in range(int(self.number("events", 10))):
            self.wfile.write(f"id: {number}\ndata: event {number}\n\n".encode())
            time.sleep(self.number("seconds", 1))
            if self.server.ending:
                return

    def hang(self, _rest: str) -> None:
        while not self.server.ending:
            time.sleep(0.1)
        self.close_connection = True

    def crash(self, _rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthis is all there wi")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def exit(self, _rest: str) -> None:
        status = int(self.number("status", 1))
        say(f"ending with status {status}, as asked")
        os._exit(status)

    def ws(self, _rest: str) -> None:
        key = self.headers.get("Sec-WebSocket-Key", "")
        if "websocket" not in self.headers.get("Upgrade", "").lower() or not key:
            self.answer(426, b"this is for WebSockets\n", Upgrade="websocket")
            return
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", websocket.accept(key))
        self.end_headers()
        self.close_connection = True
        self.connection.settimeout(None)
        self.server.may_end(self.connection)
        websocket.echo(self.rfile, self.wfile)


if __name__ == "__main__":
    serve(Echo)
