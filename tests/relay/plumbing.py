"""A relay between peers that the test drives itself."""

import asyncio
from collections.abc import Mapping
from typing import Any

from cfroute.clock import Clock, SystemClock
from cfroute.relay import Backend, Listener, Relay, Settings

from ..ports import free_port
from ..proxy.plumbing import Application, Peer, listen

HOST = "127.0.0.1"


class Diary:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.failures: list[tuple[int, str, str]] = []
        self.said: list[str] = []

    def backend_failed(self, port: int, backend: Backend, reason: str) -> None:
        self.failures.append((port, str(backend), reason))

    def accepting_paused(self, reason: str) -> None:
        self.said.append(f"paused: {reason}")

    def accepting_resumed(self) -> None:
        self.said.append("resumed")


class Site:
    """A relay, with what it is between."""

    def __init__(self, clock: Clock | None = None, settings: Settings | None = None, **options: Any) -> None:
        self.diary = Diary()
        self.relay = Relay(HOST, clock or SystemClock(), self.diary, settings, **options)
        self.port = free_port()
        self.applications: list[Application] = []
        self._peers: list[Peer] = []

    async def application(self, **options: Any) -> Application:
        """One more backend."""
        made = await listen(**options)
        self.applications.append(made)
        return made

    def route(self, *applications: Application, by_sni: Mapping[str, tuple[Backend, ...]] | None = None) -> None:
        """The port leads to these; to none of them means that it has no default."""
        pool = tuple(map(backend, applications)) if applications else None
        assert self.relay.apply({self.port: Listener(pool, by_sni or {})}) == {}

    async def client(self, data: bytes = b"", **options: Any) -> Peer:
        """A client that has connected."""
        peer = Peer(*await asyncio.open_connection(HOST, self.port, **options))
        self._peers.append(peer)
        if data:
            peer.send(data)
        return peer

    async def pair(self) -> tuple[Peer, Peer]:
        """A client, and the connection that the first application got for it."""
        client = await self.client()
        return client, await self.applications[0].connection()

    def stop(self) -> None:
        self.relay.close()
        for application in self.applications:
            application.listener.close()
        for peer in (*self._peers, *(peer for one in self.applications for peer in one.peers)):
            peer.writer.transport.abort()


def backend(application: Application) -> Backend:
    """Where the application is."""
    return Backend(application.host, application.port)
