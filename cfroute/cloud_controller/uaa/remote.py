"""The UAA at its own address, for those who reach it by ours. It checks what it is asked itself."""

from starlette.requests import Request
from starlette.responses import Response

from cfroute.cloud_controller.errors import UAA_UNAVAILABLE, ApiError
from cfroute.cloud_controller.forwarding import forward, public, target
from cfroute.http_client import Client, Unreachable


class RemoteUaa:
    """A UAA at a URL. `public_url` is where we are when a request does not say."""

    def __init__(self, http: Client, url: str, public_url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._public_url = public_url

    async def forward(self, request: Request, body: bytes, prefix: str) -> Response:
        headers = public(request, prefix, self._public_url)
        try:
            return await forward(self._http, request, self._url + target(request, prefix), body, headers=headers)
        except Unreachable as error:
            raise ApiError(UAA_UNAVAILABLE) from error
