"""Certificates of made-up authorities, and what the two ends of a proxy are in its tests."""

import ssl
from pathlib import Path
from random import Random

from cfroute import certificates
from cfroute.clock import Clock, SystemClock
from cfroute.diego.api import DesiredLRP
from cfroute.diego.cell.identity import Identities, Identity
from cfroute.logs import Logger

LRP = DesiredLRP("process", "app-1", 1, "", "", metric_tags={"organization_id": "org-1", "space_id": "space-1"})


class Authorities:
    """One for instances and one for routers, with files in a folder."""

    def __init__(self, folder: Path, clock: Clock | None = None, validity: float = 86_400.0) -> None:
        now = SystemClock().now()
        self.folder = folder
        self._routers = certificates.make_authority("routers", now)
        self._instances = certificates.make_authority("instances", now)
        self.instance_key = self._file("instances.key", self._instances.key)
        self.instance_ca = self._file("instances.crt", self._instances.certificate)
        self.router_ca = self._file("routers.crt", self._routers.certificate)
        pair = certificates.issue(self._routers, "gorouter", ["gorouter.service.cf.internal"], now)
        self._router = self._file("router.crt", pair.certificate), self._file("router.key", pair.key)
        log = Logger("test")
        self.identities = Identities(self._instances, validity, clock or SystemClock(), Random(1), log)

    def identity(self, guid: str = "instance-1", address: str = "127.0.0.1") -> Identity:
        return self.identities.issue(LRP, guid, address, self.folder / guid)

    def router(self, *, known: bool = True, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """A router's context: with a client certificate, if it is `known`."""
        context = ssl.create_default_context(cafile=self.instance_ca)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.hostname_checks_common_name = False
        if known:
            context.load_cert_chain(*self._router)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def _file(self, name: str, text: bytes) -> str:
        path = self.folder / name
        path.write_bytes(text)
        return str(path)
