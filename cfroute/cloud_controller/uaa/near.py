"""A UAA in the same process, as the Cloud Controller asks it while the foundation is down."""

from typing import TYPE_CHECKING

import httpx
from starlette.requests import Request
from starlette.responses import Response

from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.forwarding import kept, public, target
from cfroute.uaa.client import UaaError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from cfroute.http_client import Headers


class NearUaa:
    """The way to the UAA, for requests of ours and of others, and the tokens for it."""

    def __init__(self, config: Config, uaa: "ASGIApp") -> None:
        self._login = (config.uaa_client_name, config.uaa_client_secret)
        self._url = config.uaa_url.rstrip("/")
        self._public_url = config.external_url
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(uaa))

    async def request(self, method: str, url: str, body: bytes = b"", headers: "Headers" = ()) -> tuple[int, bytes]:
        """Status and body of the answer."""
        answer = await self._client.request(method, url, content=body, headers=list(headers))
        return answer.status_code, answer.content

    async def forward(self, request: Request, body: bytes, prefix: str) -> Response:
        headers = public(request, prefix, self._public_url)
        url = self._url + target(request, prefix)
        answer = await self._client.request(request.method, url, content=body, headers=headers)
        return Response(answer.content, answer.status_code, dict(kept(answer.headers.items())))

    async def fetch(self, *, anew: bool = False) -> str:
        """A token, for this one command. Raises UaaError when the UAA refuses."""
        form = {"grant_type": "client_credentials"}
        answer = await self._client.post(f"{self._url}/oauth/token", data=form, auth=self._login)
        if answer.is_error:
            raise UaaError(answer.text)
        return str(answer.json()["access_token"])

    async def aclose(self) -> None:
        """Close what is kept."""
        await self._client.aclose()
