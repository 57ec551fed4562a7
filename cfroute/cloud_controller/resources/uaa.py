"""/uaa: what `links.login` and `links.uaa` lead to."""

from starlette.responses import Response

from cfroute.cloud_controller.endpoints import Endpoint, Exchange
from cfroute.cloud_controller.uaa import PREFIX


async def forward(exchange: Exchange) -> Response:
    return await exchange.platform.uaa.forward(exchange.request, await exchange.body(), PREFIX)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ENDPOINTS = tuple(Endpoint(method, f"{PREFIX}/{{rest:path}}", forward, open=True) for method in _METHODS)
