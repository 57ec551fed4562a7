"""A UAA and a Routing API over TLS, as small as a router can notice, with everything that they were asked."""

import asyncio
import base64
import json
import ssl
import threading
import time
from pathlib import Path
from typing import Any

from cfroute import certificates

TTL = 120


def route(name: str, port: int = 8080, index: int = 0, **more: Any) -> dict[str, Any]:
    """A route as the Routing API tells it."""
    tag = {"guid": f"tag-of-{name}", "index": index}
    return {
        "route": name,
        "port": port,
        "ip": "127.0.0.1",
        "ttl": TTL,
        "log_guid": f"app-{name}",
        "modification_tag": tag,
        **more,
    }


class Identities:
    """An authority, and what it has signed for both sides, as PEM and as contexts."""

    def __init__(self, folder: Path) -> None:
        now = time.time()
        self.authority = certificates.make_authority("routing", now)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self.authority.certificate)
        self.client = certificates.issue(self.authority, "gorouter", [], now)
        pair = certificates.issue(self.authority, "server", ["127.0.0.1", "localhost"], now)
        self._file = folder / "server.pem"
        self._file.write_bytes(pair.certificate + pair.key)

    def server_context(self, *, mutual: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._file)
        if mutual:
            context.load_verify_locations(self.ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class RoutingServers:
    """Both servers, in a thread with an event loop of its own, so that a router may be a process or a coroutine."""

    def __init__(self, folder: Path) -> None:
        self.identities = Identities(folder)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.routes: list[dict[str, Any]] = []
        self.token_answers: list[tuple[int, bytes]] = []
        """Answers that come before the usual one."""
        self.good_tokens: set[str] = set()
        self.expires_in = 3600
        self._issued = 0
        self._streams: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []
        self.uaa_port = self._listen(self._uaa, mutual=False)
        self.api_port = self._listen(self._api, mutual=True)

    def listen_at(self, port: int) -> None:
        """Let the Routing API listen there as well."""
        self._listen(self._api, mutual=True, port=port)

    def _listen(self, serve: Any, *, mutual: bool, port: int = 0) -> int:
        async def start() -> asyncio.Server:
            return await asyncio.start_server(
                lambda reader, writer: self._serve(reader, writer, serve),
                "127.0.0.1",
                port,
                ssl=self.identities.server_context(mutual=mutual),
            )

        server = asyncio.run_coroutine_threadsafe(start(), self._loop).result(30)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def settings(self) -> dict[str, Any]:
        """What a router has to be told."""
        ours = self.identities
        return {
            "oauth": {
                "token_endpoint": "127.0.0.1",
                "port": self.uaa_port,
                "client_name": "gorouter",
                "client_secret": "a+b",
                "ca_certs": str(ours.ca_file),
            },
            "routing_api": {
                "uri": "https://127.0.0.1",
                "port": self.api_port,
                "ca_certs": ours.authority.certificate.decode(),
                "cert_chain": ours.client.certificate.decode(),
                "private_key": ours.client.key.decode(),
            },
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Any) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *fields = head.split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((line.rpartition(" ")[0], headers, body))
                answer(line, headers, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            self._streams.discard(writer)
            writer.close()

    def _uaa(self, line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if self.token_answers:
            status, body = self.token_answers.pop(0)
        else:
            self._issued += 1
            token = f"token-{self._issued}"
            self.good_tokens.add(token)
            status, body = 200, json.dumps({"access_token": token, "expires_in": self.expires_in}).encode()
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))

    def _api(self, line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if headers["authorization"].removeprefix("bearer ") not in self.good_tokens:
            body = b'{"name":"UnauthorizedError","message":"Token is expired"}'
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        elif "/events" in line:
            self._streams.add(writer)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
        else:
            body = json.dumps(self.routes).encode() + b"\n"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    @property
    def subscribers(self) -> int:
        return len(self._streams)

    def event(self, action: str, told: dict[str, Any]) -> None:
        """Send an event to all subscribers."""
        text = f"id: 0\nevent: {action}\ndata: {json.dumps(told)}\n\n".encode()
        self._loop.call_soon_threadsafe(self._send, b"%x\r\n%b\r\n" % (len(text), text))

    def _send(self, data: bytes) -> None:
        for writer in self._streams:
            writer.write(data)

    def end_streams(self) -> None:
        """End all event streams, as the Routing API does when it stops; returns when there are none: the next is a new one."""
        ended = threading.Event()

        def end() -> None:
            for writer in list(self._streams):
                writer.write(b"0\r\n\r\n")
                writer.close()
            self._streams.clear()
            ended.set()

        self._loop.call_soon_threadsafe(end)
        ended.wait()

    def asked(self, what: str) -> list[dict[str, str]]:
        """The headers of the requests whose line begins so."""
        return [headers for line, headers, _ in list(self.requests) if line.startswith(what)]

    @property
    def credentials(self) -> str:
        """The client's name and secret, as they came last."""
        return base64.b64decode(self.asked("POST /oauth/token")[-1]["authorization"].removeprefix("Basic ")).decode()

    def close(self) -> None:
        async def end() -> None:
            for server in self._servers:
                server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
