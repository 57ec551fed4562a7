"""What is written down about apps. Whatever is done to a part of one has the app as its target: `cf events` asks for that."""

from typing import Any

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.models import App, Destination, Process

HIDDEN = "[PRIVATE DATA HIDDEN]"


def of_app(call: Call, action: str, app: App, **data: Any) -> None:
    """`action` without the `app.` before it."""
    call.audit(f"app.{action}", app, app.name, app.space_guid, data=data)


def of_process(call: Call, action: str, process: Process, **data: Any) -> None:
    """`scale`, `update`, `terminate_instance`; a command may hold secrets, and is not told."""
    request = data.get("request") or {}
    if "command" in request:
        data["request"] = {**request, "command": HIDDEN}
    of_app(call, f"process.{action}", process.app, process_guid=process.guid, process_type=process.type, **data)


def of_destination(call: Call, action: str, destination: Destination) -> None:
    """`map-route`, `unmap-route`."""
    of_app(
        call,
        action,
        destination.app,
        route_guid=destination.route_guid,
        destination_guid=destination.guid,
        process_type=destination.process_type,
        app_port=destination.port,
        protocol=destination.protocol,
        weight=destination.weight,
    )
