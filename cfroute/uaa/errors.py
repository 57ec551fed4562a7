"""What a request is refused with: the UAA's own statuses, error words and sentences.

{"error": "unauthorized", "error_description": "Bad credentials"}
"""

from collections.abc import Iterable

REVOKED = "The token expired, was revoked, or the token ID is incorrect."
LOCKED = "Your account has been locked because of too many failed attempts to login."


class OAuthError(Exception):
    """A refusal: HTTP status, error word and description; `more` stands beside them in the answer."""

    def __init__(self, status: int, error: str, description: str, **more: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description, **more}

    @property
    def challenge(self) -> str | None:
        """The header WWW-Authenticate that goes with it, if any."""
        if self.status not in (401, 403):
            return None
        said = ", ".join(f'{name}="{value}"' for name, value in self.body.items())
        return f'Bearer realm="UAA/oauth", {said}'


def bad_credentials() -> OAuthError:
    return OAuthError(401, "unauthorized", "Bad credentials")


def locked() -> OAuthError:
    return OAuthError(401, "unauthorized", LOCKED)


def invalid_token(description: str = REVOKED) -> OAuthError:
    return OAuthError(401, "invalid_token", description)


def invalid_scope(description: str) -> OAuthError:
    return OAuthError(400, "invalid_scope", description)


def invalid_request(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request", description)


def not_authenticated() -> OAuthError:
    return OAuthError(401, "unauthorized", "Full authentication is required to access this resource")


def insufficient_scope(needed: Iterable[str]) -> OAuthError:
    return OAuthError(403, "insufficient_scope", "Insufficient scope for this resource", scope=" ".join(needed))


def invalid_resource(description: str) -> OAuthError:
    """What was sent describes no user or group."""
    return _scim(400, "invalid_scim_resource", description)


def bad_filter(description: str) -> OAuthError:
    return _scim(400, "scim", description)


def no_such_resource(description: str) -> OAuthError:
    return _scim(404, "scim_resource_not_found", description)


def already_exists(description: str, **more: str) -> OAuthError:
    return _scim(409, "scim_resource_already_exists", description, **more)


def invalid_password(status: int, description: str) -> OAuthError:
    return _scim(status, "invalid_password", description)


def _scim(status: int, error: str, description: str, **more: str) -> OAuthError:
    return OAuthError(status, error, description, message=description, **more)
