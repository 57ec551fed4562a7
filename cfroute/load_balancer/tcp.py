"""What happens to a connection on a port for TCP routes: it goes to the same port of a healthy TCP router."""

from cfroute import durations
from cfroute.clock import Clock, Timer
from cfroute.load_balancer.config import Tcp
from cfroute.load_balancer.tcp_routers import TcpRouters
from cfroute.logs import Logger
from cfroute.relay import Backend, Listener, Relay, Settings

_DIAL_TIMEOUT = 5.0  # seconds
_RETRY = 1.0  # seconds until ports that are somebody else's are tried again


class TcpBalancer:
    """Listens on the ports, and spreads connections over the TCP routers.

    One that does not take a connection on a port has perhaps no route there: the next one gets it, but only health checks say
    who is ill.
    """

    def __init__(self, config: Tcp, routers: TcpRouters, clock: Clock, log: Logger) -> None:
        self._numbers = config.numbers
        self._routers = routers
        self._clock = clock
        self._log = log
        settings = Settings(
            idle_timeout=durations.parse(config.idle_timeout),
            connect_timeout=_DIAL_TIMEOUT,
            retries=max(len(config.routers) - 1, 0),
            redial_pause=None,
        )
        self._relay = Relay(config.address, clock, self, settings)
        self._retry: Timer | None = None
        routers.changed = self._renew
        self._renew()

    @property
    def current(self) -> int:
        """The connections that there are."""
        return self._relay.current

    def _renew(self) -> None:
        """Use the TCP routers that are healthy, and listen where that is possible by now."""
        hosts = [router.name for router in self._routers.healthy]
        table = {number: Listener(tuple(Backend(host, number) for host in hosts)) for number in self._numbers}
        before, missing = self._routers.missing, self._relay.apply(table)
        self._routers.missing = missing
        self._routers.listening = set(self._relay.ports)
        for reason in sorted(set(missing.values())):
            if news := [number for number, why in missing.items() if why == reason and before.get(number) != why]:
                self._log.error("tcp-listen-failed", ports=news, error=reason)
        if found := [number for number in before if number not in missing]:
            self._log.info("tcp-listening-again", ports=found)
        if self._retry is not None:
            self._retry.cancel()
        self._retry = self._clock.call_later(_RETRY, self._renew) if missing else None

    def backend_failed(self, port: int, backend: Backend, reason: str) -> None:
        """A TCP router did not take a connection."""
        self._log.info("tcp-router-failed", router=str(backend), error=reason)

    def accepting_paused(self, reason: str) -> None:
        """There are as many connections as there can be."""
        self._log.error("tcp-accepting-paused", error=reason)

    def accepting_resumed(self) -> None:
        """There can be more again."""
        self._log.info("tcp-accepting-resumed")

    def close(self) -> None:
        """End all connections, and listen no more."""
        if self._retry is not None:
            self._retry.cancel()
        self._relay.close()
