"""What the Routing API answers instead of doing what it was asked to, and the way a body cannot be read."""

from typing import Final

PROCESS_REQUEST: Final = "ProcessRequestError"
ROUTE_INVALID: Final = "RouteInvalidError"
ROUTE_SERVICE_URL_INVALID: Final = "RouteServiceUrlInvalidError"
DB_COMMUNICATION: Final = "DBCommunicationError"
UNAUTHORIZED: Final = "UnauthorizedError"
NOT_FOUND: Final = "ResourceNotFoundError"

BACKUP: Final = "Database unavailable due to backup or restore"


class ApiError(Exception):
    """An answer that is an error: its status, and the `name` and `message` of its body."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message


def unprocessable(why: object) -> ApiError:
    """The request makes no sense."""
    return ApiError(400, PROCESS_REQUEST, f"Cannot process request: {why}")


def unauthorized(why: str) -> ApiError:
    """Who asks may not. It is never 403."""
    return ApiError(401, UNAUTHORIZED, why)


def unavailable(why: str) -> ApiError:
    """The database does not do what it should."""
    return ApiError(503, DB_COMMUNICATION, why)


def not_found(why: str) -> ApiError:
    """There is no such thing."""
    return ApiError(404, NOT_FOUND, why)
