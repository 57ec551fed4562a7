"""The BBS over HTTP: every call is a POST of JSON, as the table at the end lists them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from cfroute.diego.api import ActualLRP, CellPresence, DesiredLRP, InstanceUsage, Task
from cfroute.diego.bbs.lrps import Refused
from cfroute.diego.bbs.service import Service
from cfroute.diego.bbs.state import State
from cfroute.diego.bbs.store import StoreError
from cfroute.diego.client import Feed
from cfroute.unreadable import UNREADABLE


class Chosen(msgspec.Struct):
    """Which LRPs to list; what is not given does not restrict."""

    process_guids: list[str] | None = None
    cell_id: str = ""
    process_guid: str = ""
    index: int | None = None


class DesiredLRPs(msgspec.Struct):
    """Everything that should run."""

    desired_lrps: list[DesiredLRP]


class Instance(msgspec.Struct):
    """An instance, as far as the call needs to name it, and why it died."""

    process_guid: str
    index: int = 0
    cell_id: str = ""
    instance_guid: str = ""
    reason: str = ""


class Domain(msgspec.Struct):
    """A domain and how long it stays fresh, in seconds."""

    domain: str
    ttl: int = 0


class TaskStart(msgspec.Struct):
    """Which cell takes which task."""

    task_guid: str
    cell_id: str


class Nothing(msgspec.Struct):
    """A body without content."""


def _list_desired(state: State, chosen: Chosen) -> Mapping[str, Any]:
    if chosen.process_guids is None:
        return {"desired_lrps": list(state.desired.values())}
    wanted = [state.desired.get(guid) for guid in chosen.process_guids]
    return {"desired_lrps": [lrp for lrp in wanted if lrp is not None]}


def _list_actual(state: State, chosen: Chosen) -> Mapping[str, Any]:
    found = [
        msgspec.structs.replace(lrp, usage=state.usage.get(lrp.instance_guid, {}))
        for lrp in state.instances()
        if chosen.cell_id in ("", lrp.cell_id)
        and chosen.process_guid in ("", lrp.process_guid)
        and chosen.index in (None, lrp.index)
    ]
    return {"actual_lrps": found}


def _claim(state: State, body: Instance) -> None:
    state.claim(body.process_guid, body.index, body.cell_id, body.instance_guid)


def _crash(state: State, body: Instance) -> None:
    state.crash(body.process_guid, body.index, body.cell_id, body.instance_guid, body.reason)


def _fail(state: State, body: Instance) -> None:
    state.fail(body.process_guid, body.index, body.reason)


def _gone(state: State, body: Instance) -> None:
    state.gone(body.process_guid, body.index, body.instance_guid)


def _retire(state: State, body: Instance) -> None:
    state.retire(body.process_guid, body.index)


def _remove(state: State, body: Instance) -> None:
    state.remove(body.process_guid)


def _desire(state: State, body: DesiredLRP) -> None:
    state.desire(body)


def _update(state: State, body: dict[str, Any]) -> None:
    state.update(str(body.pop("process_guid", "")), body)


def _sync(state: State, body: DesiredLRPs) -> Mapping[str, Any]:
    return state.sync(body.desired_lrps)


def _upsert_domain(state: State, body: Domain) -> None:
    state.upsert_domain(body.domain, body.ttl)


def _list_domains(state: State, _body: Nothing) -> Mapping[str, Any]:
    return {"domains": state.domains()}


def _list_tasks(state: State, _body: Nothing) -> Mapping[str, Any]:
    return {"tasks": list(state.tasks.values())}


def _start_task(state: State, body: TaskStart) -> None:
    state.start_task(body.task_guid, body.cell_id)


def _list_cells(state: State, _body: Nothing) -> Mapping[str, Any]:
    return {"cells": list(state.cells.values())}


# path, type of the body, what it does. An answer of None is sent as {}.
CALLS: tuple[tuple[str, Any, Callable[[State, Any], Mapping[str, Any] | None]], ...] = (
    ("desired_lrps/list", Chosen, _list_desired),
    ("desired_lrps/sync", DesiredLRPs, _sync),
    ("desired_lrp/desire", DesiredLRP, _desire),
    ("desired_lrp/update", dict[str, Any], _update),
    ("desired_lrp/remove", Instance, _remove),
    ("actual_lrps/list", Chosen, _list_actual),
    ("actual_lrps/claim", Instance, _claim),
    ("actual_lrps/start", ActualLRP, State.start),
    ("actual_lrps/crash", Instance, _crash),
    ("actual_lrps/fail", Instance, _fail),
    ("actual_lrps/remove", Instance, _gone),
    ("actual_lrps/retire", Instance, _retire),
    ("actual_lrps/usage", list[InstanceUsage], State.report),
    ("tasks/desire", Task, State.desire_task),
    ("tasks/list", Nothing, _list_tasks),
    ("tasks/start", TaskStart, _start_task),
    ("tasks/complete", Task, State.complete_task),
    ("cells/heartbeat", CellPresence, State.heartbeat),
    ("cells/list", Nothing, _list_cells),
    ("domains/upsert", Domain, _upsert_domain),
    ("domains/list", Nothing, _list_domains),
)


def application(service: Service) -> Starlette:
    """The ASGI app of a BBS."""
    calls = [Route(f"/v1/{path}", _handler(service, type_, work), methods=["POST"]) for path, type_, work in CALLS]
    streams = [
        Route("/v1/events/lrp_instances.r1", _stream(service, "lrp_instances.r1"), methods=["POST"]),
        Route("/v1/events/tasks", _stream(service, "tasks"), methods=["POST"]),
        Route("/v1/ping", _ping, methods=["GET", "POST"]),
    ]
    return Starlette(routes=[*calls, *streams])


PONG = b'{"available":true}'
JSON = "application/json"

Handler = Callable[[Request], Awaitable[Response]]


def _handler(service: Service, type_: Any, work: Callable[[State, Any], Mapping[str, Any] | None]) -> Handler:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(type_)

    async def handle(request: Request) -> Response:
        try:
            body = decoder.decode(await request.body() or b"{}")
            answer = service.do(lambda state: work(state, body))
        except UNREADABLE as error:
            return _error(400, "InvalidRequest", str(error))
        except Refused as refusal:
            return _error(refusal.status, refusal.type, refusal.message)
        except StoreError as error:
            return _error(503, "UnknownError", f"the database cannot be written: {error}")
        return _json(answer or {})

    return handle


def _stream(service: Service, feed: Feed) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            chosen = msgspec.json.decode(await request.body() or b"{}", type=Chosen)
        except UNREADABLE as error:
            return _error(400, "InvalidRequest", str(error))
        return StreamingResponse(service.hub.listen(feed, chosen.cell_id), media_type="text/event-stream")

    return handle


async def _ping(_request: Request) -> Response:
    return Response(PONG, media_type=JSON)


def _error(status: int, type_: str, message: str) -> Response:
    return _json({"error": {"type": type_, "message": message}}, status)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type=JSON)
