"""Instance identity: the certificate and key that tell who an instance is, in files that it can read.

The certificate names the instance (its guid, and the address that it is reached at), and in its organizational units
organization, space and app. It is short-lived, and replaced in time, for as long as the instance runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from cfroute import certificates
from cfroute.certificates import Pair
from cfroute.clock import Clock
from cfroute.diego.api import DesiredLRP
from cfroute.diego.cell.rotation import renewal
from cfroute.home import write_secretly
from cfroute.logs import Logger

CREDENTIALS = "etc/cf-instance-credentials"  # below the container's root
LOOK = 10.0  # s between two looks at what is to be renewed; short, for a machine that has slept wakes up late
_DAY = 86_400.0  # s


@dataclass
class Identity:
    """The credentials of one instance.

    They are made anew at `renew_at` (seconds of the epoch); those in `renewed` are called after that.
    """

    guid: str
    address: str
    units: Sequence[str]
    folder: Path
    renew_at: float = 0.0
    renewed: list[Callable[[], None]] = field(default_factory=list)

    @property
    def certificate(self) -> Path:
        return self.folder / "instance.crt"

    @property
    def key(self) -> Path:
        return self.folder / "instance.key"

    @property
    def environment(self) -> dict[str, str]:
        """What tells the app where they are."""
        return {"CF_INSTANCE_CERT": str(self.certificate), "CF_INSTANCE_KEY": str(self.key)}


def units(lrp: DesiredLRP) -> list[str]:
    """The organizational units for the instances of a process, as far as it is known whose they are."""
    owners = (("organization", "organization_id"), ("space", "space_id"))
    known = [f"{kind}:{lrp.metric_tags[tag]}" for kind, tag in owners if lrp.metric_tags.get(tag)]
    return [*known, f"app:{lrp.app_guid}"]


class Identities:
    """Issues the identities of a cell's instances, and renews them. `validity` is in seconds."""

    def __init__(self, authority: Pair, validity: float, clock: Clock, chance: Random, log: Logger) -> None:
        self._authority = authority
        self._validity = validity
        self._clock = clock
        self._chance = chance
        self._log = log
        self._issued: dict[str, Identity] = {}

    def issue(self, lrp: DesiredLRP, guid: str, address: str, root: Path) -> Identity:
        """The identity of a new instance, whose container is the folder `root`. Raises OSError."""
        identity = Identity(guid, address, units(lrp), root / CREDENTIALS)
        identity.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity.renew_at = self._make(identity)
        self._issued[guid] = identity
        return identity

    def forget(self, identity: Identity) -> None:
        """The instance is gone."""
        self._issued.pop(identity.guid, None)

    async def keep(self) -> None:
        """Renew what is due, for ever."""
        while True:
            await self._clock.sleep(LOOK)
            self.renew()

    def renew(self) -> None:
        """Make anew what is due."""
        now = self._clock.now()
        for identity in [each for each in self._issued.values() if each.renew_at <= now]:
            try:
                renew_at = self._make(identity)
                for tell in identity.renewed:
                    tell()
            except OSError as error:  # a full disk: the old one is good for a while, and the next look tries again
                self._log.error("failed-to-renew-identity", instance_guid=identity.guid, error=str(error))
            else:
                identity.renew_at = renew_at
                self._log.info("identity-renewed", instance_guid=identity.guid)

    def _make(self, identity: Identity) -> float:
        """Write new files; when they are to be renewed."""
        now = self._clock.now()
        names = [identity.guid, identity.address]
        days = self._validity / _DAY
        made = certificates.issue(self._authority, identity.guid, names, now, units=identity.units, days=days)
        write_secretly(identity.key, made.key, durable=False)
        write_secretly(identity.certificate, made.certificate, durable=False)
        return renewal(now, self._validity, self._chance.random())
