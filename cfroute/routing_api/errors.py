"""What the Routing API answers instead of doing what it was asked to, as the server makes it and as its clients meet it."""

from typing import Final

import msgspec

from cfroute.unreadable import UNREADABLE

PROCESS_REQUEST: Final = "ProcessRequestError"
ROUTE_INVALID: Final = "RouteInvalidError"
ROUTE_SERVICE_URL_INVALID: Final = "RouteServiceUrlInvalidError"
DB_COMMUNICATION: Final = "DBCommunicationError"
UNAUTHORIZED: Final = "UnauthorizedError"
NOT_FOUND: Final = "ResourceNotFoundError"
RESPONSE: Final = "ResponseError"

BACKUP: Final = "Database unavailable due to backup or restore"


class ApiError(Exception):
    """An answer that is an error: its status, and the `name` and `message` of its body."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message


class Unauthorized(ApiError):
    """The token is not, or not any more, good enough."""


class _Body(msgspec.Struct):
    name: str = RESPONSE
    message: str = ""


def refusal(status: int, body: bytes) -> ApiError:
    """The error that a client got as an answer. Upstream's clients say no more of a refused token than that it is."""
    try:
        told = msgspec.json.decode(body, type=_Body)
    except UNREADABLE:
        told = _Body()
    if status == 401:
        return Unauthorized(status, told.name, "unauthorized")
    return ApiError(status, told.name, told.message or f"bad response: {status}")


def unreadable(what: str, why: object) -> ApiError:
    """An answer of a server that cannot be understood, although it is none of an error."""
    return ApiError(200, RESPONSE, f"{what} cannot be read: {why}")


def unprocessable(why: object) -> ApiError:
    """The request makes no sense."""
    return ApiError(400, PROCESS_REQUEST, f"Cannot process request: {why}")


def unauthorized(why: str) -> ApiError:
    """Who asks may not. It is never 403."""
    return Unauthorized(401, UNAUTHORIZED, why)


def unavailable(why: str) -> ApiError:
    """The database does not do what it should."""
    return ApiError(503, DB_COMMUNICATION, why)


def not_found(why: str) -> ApiError:
    """There is no such thing."""
    return ApiError(404, NOT_FOUND, why)
