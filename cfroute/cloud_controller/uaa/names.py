"""What people are called: only the UAA knows."""

import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import urlencode

import msgspec

from cfroute.cloud_controller.errors import UAA_UNAVAILABLE, ApiError
from cfroute.http_client import Headers, Unreachable
from cfroute.uaa.client import Tokens, UaaError

_AT_ONCE = 50  # users in one question: the answer has a hundred at most, the address a few thousand characters


class Name(NamedTuple):
    """A user of the UAA: the guid, and the name and origin that go with it."""

    guid: str
    username: str
    origin: str


class Names(Protocol):
    """Where names are had."""

    async def of(self, guids: Collection[str]) -> dict[str, Name]:
        """Those that there are, by guid. Raises ApiError 20004 when the UAA is away."""

    async def called(self, usernames: Collection[str], origins: Collection[str] = ()) -> list[Name]:
        """Users of these names, of any origin or of those. Raises ApiError 20004."""


class Http(Protocol):
    """What is used of `cfroute.http_client.Client`."""

    async def request(self, method: str, url: str, body: bytes = b"", headers: Headers = ()) -> tuple[int, bytes]:
        """Status and body of the answer. Raises Unreachable."""


class _Found(msgspec.Struct):
    id: str
    userName: str  # noqa: N815 - SCIM's word
    origin: str


class _Page(msgspec.Struct):
    resources: list[_Found]


class UaaNames:
    """Asks the UAA's `/ids/Users`."""

    def __init__(self, http: Http, url: str, tokens: Tokens) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/ids/Users"
        self._tokens = tokens

    async def aclose(self) -> None:
        """Close the connections of the tokens."""
        await self._tokens.aclose()

    async def of(self, guids: Collection[str]) -> dict[str, Name]:
        return {name.guid: name async for name in self._all("id", guids)}

    async def called(self, usernames: Collection[str], origins: Collection[str] = ()) -> list[Name]:
        return [name async for name in self._all("userName", usernames) if not origins or name.origin in origins]

    async def _all(self, attribute: str, values: Collection[str]) -> AsyncIterator[Name]:
        wanted = list(dict.fromkeys(values))
        for start in range(0, len(wanted), _AT_ONCE):
            for each in await self._ask(attribute, wanted[start : start + _AT_ONCE]):
                yield Name(each.id, each.userName, each.origin)

    async def _ask(self, attribute: str, values: Sequence[str]) -> Iterable[_Found]:
        # JSON's way to quote is SCIM's
        query = urlencode({"filter": " or ".join(f"{attribute} eq {json.dumps(value)}" for value in values), "count": 500})
        for anew in (False, True):
            try:
                token = await self._tokens.fetch(anew=anew)
                headers = (("Authorization", f"bearer {token}"),)
                status, body = await self._http.request("GET", f"{self._url}?{query}", headers=headers)
                if status == 200:
                    return msgspec.json.decode(body, type=_Page).resources
            except (UaaError, Unreachable, msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise ApiError(UAA_UNAVAILABLE) from error
            if status != 401:
                break
        raise ApiError(UAA_UNAVAILABLE)
