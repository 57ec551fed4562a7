"""/uaa: what `links.login` and `links.uaa` lead to, so that who reaches the API's address reaches the UAA, too."""

from starlette.responses import Response

from cfroute.cloud_controller.endpoints import Endpoint, Exchange

PREFIX = "/uaa"


async def forward(exchange: Exchange) -> Response:
    return await exchange.platform.uaa.forward(exchange.request, await exchange.body(), PREFIX)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ENDPOINTS = tuple(Endpoint(method, f"{PREFIX}/{{rest:path}}", forward, open=True) for method in _METHODS)
