"""What a real platform can be asked for and this one cannot: each is refused with the reason, which clients show."""

from collections.abc import Callable
from typing import NoReturn

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.endpoints import delete, patch, post
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App

_OWN_BUILDPACKS = "Buildpacks cannot be added, changed or removed: those of this foundation come with it."
_OWN_STACK = "Stacks cannot be added, changed or removed: the only one of this foundation is its machine."
_ONE_PLACE = "Isolation segments are not supported by this foundation: its apps all run on one machine."
_OPEN_NETWORK = "Security groups are not supported by this foundation: instances reach whatever its machine reaches."
_NO_GROUPS = "Environment variable groups are not supported by this foundation: set the variables of each app."
_NO_TASKS = "Tasks are not supported by this foundation: push what is to run as an app of its own."


def _refuse(reason: str) -> Callable[[Call], NoReturn]:
    """A handler of what only admins may ask for."""

    def refuse(call: Call) -> NoReturn:
        """Refused: not supported"""
        call.only_admin()
        raise unprocessable(reason)

    return refuse


def create_task(call: Call) -> NoReturn:
    """Refused: not supported"""
    call.the(App)
    raise unprocessable(_NO_TASKS)


ENDPOINTS = (
    post("/v3/buildpacks", _refuse(_OWN_BUILDPACKS)),
    patch("/v3/buildpacks/{guid}", _refuse(_OWN_BUILDPACKS)),
    delete("/v3/buildpacks/{guid}", _refuse(_OWN_BUILDPACKS)),
    post("/v3/buildpacks/{guid}/upload", _refuse(_OWN_BUILDPACKS)),
    post("/v3/stacks", _refuse(_OWN_STACK)),
    patch("/v3/stacks/{guid}", _refuse(_OWN_STACK)),
    delete("/v3/stacks/{guid}", _refuse(_OWN_STACK)),
    post("/v3/isolation_segments", _refuse(_ONE_PLACE)),
    post("/v3/security_groups", _refuse(_OPEN_NETWORK)),
    patch("/v3/environment_variable_groups/running", _refuse(_NO_GROUPS)),
    patch("/v3/environment_variable_groups/staging", _refuse(_NO_GROUPS)),
    post("/v3/apps/{guid}/tasks", create_task),
)
