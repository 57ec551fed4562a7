"""What a request can be refused with: one table, in the Cloud Controller's own numbers, titles and words.

{"errors": [{"code": 10008, "title": "CF-UnprocessableEntity", "detail": "…"}]}
"""

from typing import Any, NamedTuple


class Kind(NamedTuple):
    """One row of the table; `detail` is the sentence when the error brings none of its own."""

    status: int
    code: int
    title: str
    detail: str = ""


INVALID_TOKEN = Kind(401, 1000, "CF-InvalidAuthToken", "Invalid Auth Token")
PARSE_ERROR = Kind(400, 1001, "CF-MessageParseError", "Request invalid due to parse error: invalid request body")
BAD_REQUEST = Kind(400, 1004, "CF-BadRequest")
UNKNOWN_REQUEST = Kind(404, 10000, "CF-NotFound", "Unknown request")
INTERNAL = Kind(500, 10001, "UnknownError", "An unknown error occurred.")
NOT_AUTHENTICATED = Kind(401, 10002, "CF-NotAuthenticated", "Authentication error")
NOT_AUTHORIZED = Kind(403, 10003, "CF-NotAuthorized", "You are not authorized to perform the requested action")
BAD_QUERY = Kind(400, 10005, "CF-BadQueryParameter")
UNPROCESSABLE = Kind(422, 10008, "CF-UnprocessableEntity")
NOT_FOUND = Kind(404, 10010, "CF-ResourceNotFound")
ORGANIZATION_SUSPENDED = Kind(403, 10017, "CF-OrgSuspended", "The organization is suspended")
UNAVAILABLE = Kind(503, 10015, "CF-ServiceUnavailable")
NOT_UNIQUE = Kind(422, 10016, "CF-UniquenessError")
UNABLE_TO_PERFORM = Kind(422, 10009, "CF-UnableToPerform")
BINDING_INVALID = Kind(400, 90001, "CF-ServiceBindingInvalid")
JOB_TIMEOUT = Kind(524, 290006, "CF-JobTimeout", "The job execution has timed out.")
INVALID_CATALOG = Kind(502, 270012, "CF-ServiceBrokerCatalogInvalid")
BROKER_NOT_REMOVABLE = Kind(422, 270010, "CF-ServiceBrokerNotRemovable")
SERVICE_INSTANCE_NOT_FOUND = Kind(404, 60004, "CF-ServiceInstanceNotFound")
OPERATION_IN_PROGRESS = Kind(409, 60016, "CF-AsyncServiceInstanceOperationInProgress")
PLAN_NOT_UPDATEABLE = Kind(400, 110004, "CF-ServicePlanNotUpdateable", "The service does not support changing plans.")
SHARED_NOT_RENAMED = Kind(
    422, 390003, "CF-SharedServiceInstanceCannotBeRenamed", "Service instances that have been shared cannot be renamed"
)
NO_UPGRADES = Kind(
    422,
    390006,
    "CF-MaintenanceInfoNotSupported",
    "The service broker does not support upgrades for service instances created from this plan.",
)
UPGRADE_AND_PLAN = Kind(
    422,
    390008,
    "CF-MaintenanceInfoNotUpdatableWhenChangingPlan",
    "maintenance_info should not be changed when switching to different plan.",
)
OTHER_VERSION = Kind(
    422,
    390009,
    "CF-MaintenanceInfoConflict",
    "maintenance_info.version requested is invalid. Please ensure the catalog is up to date and you are providing a version "
    "supported by this service plan.",
)
FOUNDATION_DOWN = Kind(
    503,
    10015,
    "CF-ServiceUnavailable",
    "The foundation is not running, and service brokers are asked only while it is. Start it with 'cfroute up'.",
)
UAA_UNAVAILABLE = Kind(503, 20004, "CF-UaaUnavailable", "The UAA service is currently unavailable")
ALREADY_BOUND_TO_SAME = Kind(
    422,
    130008,
    "CF-ServiceInstanceAlreadyBoundToSameRoute",
    "The route and service instance are already bound.",
)
BITS_TWICE = Kind(
    400,
    150004,
    "CF-PackageBitsAlreadyUploaded",
    "Bits may be uploaded only once. Create a new package to upload different bits.",
)
PACKAGE_INVALID = Kind(400, 150001, "CF-AppPackageInvalid")
BITS_INVALID = Kind(400, 160001, "CF-AppBitsUploadInvalid")
QUOTA_NOT_FOUND = Kind(404, 240001, "CF-QuotaDefinitionNotFound")
FEATURE_DISABLED = Kind(403, 330002, "CF-FeatureDisabled")


class ApiError(Exception):
    """A request is refused. Several details become several entries, each of which the cf CLI prints on its own line."""

    def __init__(self, kind: Kind, *details: str) -> None:
        self.kind = kind
        self.details = details or (kind.detail,)
        super().__init__("; ".join(self.details))

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The list that stands under `errors`, in answers and in jobs."""
        return [{"code": self.kind.code, "title": self.kind.title, "detail": detail} for detail in self.details]


def unprocessable(*details: str) -> ApiError:
    return ApiError(UNPROCESSABLE, *details)


def not_found(what: str) -> ApiError:
    """`not_found("Route")` says "Route not found"."""
    return ApiError(NOT_FOUND, f"{what} not found")


def broker_error(status: int, error: str, detail: str) -> ApiError:
    """What a service broker made of a question; none of these has a number of its own."""
    return ApiError(Kind(status, 10001, f"CF-{error}"), detail)


def bad_query(problem: str) -> ApiError:
    return ApiError(BAD_QUERY, f"The query parameter is invalid: {problem}")


def refuse_if(problems: list[str]) -> None:
    """Raise one error with all messages of one object, when there are any."""
    if problems:
        raise unprocessable(", ".join(problems))
