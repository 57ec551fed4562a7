"""The table as an engine sees it: per external port the servers of each name, without what cannot be used.

What is left out is logged, in upstream's words.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from cfroute.go.quoting import quote
from cfroute.lager import Lager
from cfroute.tcp_router.table import Backend, Backends

_DNS_NAME: Final = re.compile(r"([a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})(\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*[._]?")
_LONGEST_NAME: Final = 255  # without the dots
_NO_TLS: Final = -1


class Server(NamedTuple):
    """A backend, and how it is spoken to: over TLS where `tls` is true, which proves that it is `instance_id`."""

    host: str
    port: int
    tls: bool
    instance_id: str


class Frontend(NamedTuple):
    """An external port: its servers by server name, sorted; those for no name come first."""

    port: int
    pools: tuple[tuple[str, tuple[Server, ...]], ...]

    @property
    def has_names(self) -> bool:
        """Whether it has to be known which name a client asks for."""
        return any(name for name, _ in self.pools)


class _Skipped(Exception):
    """A part of an entry cannot be used."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(f"Field: {field}. Value: {value}.")


def frontend(port: int, names: Mapping[str, Backends], log: Lager, *, tls: bool) -> Frontend | None:
    """What stands at that port; None if it is nothing. `tls` tells whether TLS is spoken with backends."""
    pools = []
    for name, backends in sorted(names.items()):
        entry = _Entry(port, name, log)
        try:
            usable = entry.usable(backends)
        except _Skipped as skipped:
            entry.skip(skipped)
        else:
            pools.append((name, tuple(entry.servers(_latest(usable, backends), tls=tls))))
    return Frontend(port, tuple(pools)) if pools else None


class _Entry:
    """One routing key on its way into a frontend."""

    def __init__(self, port: int, name: str, log: Lager) -> None:
        self._port = port
        self._name = name
        self._log = log

    def skip(self, why: _Skipped) -> None:
        """Log what is left out."""
        place = f"port: {self._port}/sni_hostname: {quote(self._name)}"
        told = f"Skipping invalid routing table entry for {place}. {why}"
        self._log.error("skipping-invalid-routing-table-entry", error=told)

    def usable(self, backends: Backends) -> list[Backend]:
        """The backends that make sense, by address. Raises _Skipped when the whole entry does not."""
        if self._port == 0:
            raise _Skipped("frontend_configuration.port", self._port)
        if self._name and not _is_dns_name(self._name):
            raise _Skipped("frontend_configuration.sni_hostname", self._name)
        usable = []
        for backend in sorted(backends):
            try:
                _check(backend)
            except _Skipped as skipped:
                self.skip(skipped)
            else:
                usable.append(backend)
        if not usable:
            raise _Skipped("backend_configuration.servers", "[]")
        return usable

    def servers(self, backends: list[Backend], *, tls: bool) -> Iterator[Server]:
        """How these backends are spoken to, as far as that is possible."""
        for backend in backends:
            where = {"port": self._port, "sni_hostname": self._name, "address": backend.host}
            if backend.tls_port > 0 and tls:
                yield Server(backend.host, backend.tls_port, True, backend.instance_id)
            elif backend.tls_port > 0:
                self._log.error("backend-tls-not-enabled", **where, error=f"TLS port {backend.tls_port} cannot be used")
            else:
                if tls and backend.tls_port != _NO_TLS:
                    self._log.error("route-missing-tls-information", **where, error=f"plain port {backend.port} is used")
                yield Server(backend.host, backend.port, False, backend.instance_id)


def _check(backend: Backend) -> None:
    if backend.port == 0 and backend.tls_port <= 0:
        raise _Skipped("backend_configuration.port", backend.port)
    if not _is_dns_name(backend.host):
        raise _Skipped("backend_configuration.address", backend.host)
    if backend.tls_port > 0 and not backend.instance_id:
        raise _Skipped("backend_configuration.instance_id", "unset")
    if backend.tls_port > 0 and not _is_dns_name(backend.instance_id):  # upstream writes down whatever stands there
        raise _Skipped("backend_configuration.instance_id", quote(backend.instance_id))


def _latest(usable: list[Backend], backends: Backends) -> list[Backend]:
    """One backend an address: it may have got to another instance, and HAProxy refuses a configuration that has it twice."""
    latest: dict[tuple[str, int], Backend] = {}
    for backend in usable:
        place = backend.host, max(backend.tls_port, 0) or backend.port
        if place not in latest or backends[latest[place]].updated <= backends[backend].updated:
            latest[place] = backend
    return list(latest.values())


def _is_dns_name(text: str) -> bool:
    return _DNS_NAME.fullmatch(text) is not None and len(text.replace(".", "")) <= _LONGEST_NAME
