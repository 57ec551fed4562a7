"""Who is asking: bearer tokens, signed by the UAA."""

from typing import Any, NamedTuple

import msgspec

from cfroute import jwt
from cfroute.clock import Clock
from cfroute.cloud_controller.errors import INVALID_TOKEN, NOT_AUTHENTICATED, ApiError
from cfroute.cloud_controller.uaa.keys import Keys, KeySource
from cfroute.cloud_controller.user import User

_REMEMBERED = 1000  # tokens

# What the UAA calls us in the tokens that are for us.
AUDIENCE = "cloud_controller"


class TokenExpired(ApiError):
    """The token was good once."""

    def __init__(self) -> None:
        super().__init__(INVALID_TOKEN)


class _Claims(msgspec.Struct):
    """What is read of a token's claims."""

    iss: str
    exp: float
    scope: list[str]
    aud: list[str] | str
    nbf: float = 0.0
    jti: str = ""
    client_id: str = ""
    user_id: str | None = None
    user_name: str | None = None


class _Good(NamedTuple):
    """Whom a token speaks for, and to whom; from when until when, in seconds of the epoch."""

    user: User
    audience: frozenset[str]
    begins: float
    expires: float


class TokenChecker:
    """Turns an Authorization header into a user."""

    def __init__(self, source: KeySource, issuer: str, clock: Clock) -> None:
        self._source = source
        self._issuer = issuer
        self._clock = clock
        # Headers that were found good with these keys: clients send the same one again and again.
        self._keys: Keys = {}
        self._good: dict[str, _Good] = {}

    async def user(self, authorization: str | None, audience: str = AUDIENCE) -> User:
        """Whom the token speaks for. Raises ApiError: 10002 without a token, 1000 for a bad one (TokenExpired for an old one).

        A token that is meant for others than `audience`, or for later, is a bad one.
        """
        if not authorization:
            raise ApiError(NOT_AUTHENTICATED)
        keys = await self._source.keys()
        if keys is not self._keys:
            self._keys, self._good = keys, {}
        good, now = self._good.get(authorization) or await self._checked(authorization, keys), self._clock.now()
        if audience not in good.audience or good.begins > now:
            raise ApiError(INVALID_TOKEN)
        if good.expires <= now:
            raise TokenExpired
        return good.user

    async def _checked(self, authorization: str, keys: Keys) -> _Good:
        scheme, _, token = authorization.partition(" ")
        claims = await self._claims(token.strip(), keys) if scheme.lower() == "bearer" else None
        good = acceptable(claims, self._issuer) if claims is not None else None
        if good is None:
            raise ApiError(INVALID_TOKEN)
        if len(self._good) >= _REMEMBERED:
            del self._good[next(iter(self._good))]
        self._good[authorization] = good
        return good

    async def _claims(self, token: str, keys: Keys) -> dict[str, Any] | None:
        return jwt.verified(token, keys) or jwt.verified(token, await self._source.keys(newer=True))


def acceptable(claims: dict[str, Any], issuer: str) -> _Good | None:
    """What the claims of an access token of our UAA say; None when they are none of such a token."""
    try:
        known = msgspec.convert(claims, _Claims)
    except msgspec.ValidationError:
        return None
    if known.iss != issuer or known.jti.endswith("-r"):
        return None
    guid = known.user_id or known.client_id
    user = User(guid, known.user_name or guid, frozenset(known.scope))
    audience = [known.aud] if isinstance(known.aud, str) else known.aud
    return _Good(user, frozenset(audience), known.nbf, known.exp)
