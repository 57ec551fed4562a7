"""The route to the Routing API itself: kept in its own database, from where the routers learn it."""

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.routing_api.api import NO_TAG, Route
from cfroute.routing_api.config import Config
from cfroute.routing_api.errors import ApiError
from cfroute.routing_api.service import Service


def host(config: Config) -> str:
    """Host and path of the route."""
    return f"api.{config.system_domain}/routing"


class SelfRoute:
    """Upserts the route at the start and then twice within its time to live, and deletes it in the end."""

    def __init__(self, config: Config, ip: str, service: Service, clock: Clock, log: Lager) -> None:
        self._service = service
        self._clock = clock
        self._log = log
        self._route = Route(
            route=host(config),
            port=config.api.listen_port,
            ip=ip,
            ttl=config.ttl,
            log_guid=config.log_guid,
            modification_tag=NO_TAG,
        )

    async def register(self) -> None:
        """Raises ApiError."""
        await self._service.upsert_routes([self._route])

    async def run(self) -> None:
        """Repeat it for ever."""
        self._log.info("starting-registration-loop")
        while True:
            await self._clock.sleep(max(self._route.ttl // 2, 1))
            try:
                await self.register()
            except ApiError as error:
                self._log.error("registration-error", error=error.message)

    async def unregister(self) -> None:
        """Delete it; that it could not be done is logged, for it will expire."""
        try:
            await self._service.delete_routes([self._route])
        except ApiError as error:
            self._log.error("unregistration-error", error=error.message)
