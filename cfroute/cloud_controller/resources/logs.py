"""The log cache's API: what apps, and the components that serve them, have written."""

from base64 import b64encode
from typing import Any

from starlette.concurrency import run_in_threadpool

from cfroute import log_cache
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.endpoints import Exchange, get
from cfroute.cloud_controller.models import App
from cfroute.cloud_controller.query import Query
from cfroute.log_cache import Envelope

VERSION = "3.0.8"
_DEFAULT_LINES = 100
_MOST_LINES = 1000
_MOMENTS = (-(2**63), 2**63 - 1)  # Go's zero time is before the epoch


def info(_call: Call) -> dict[str, Any]:
    # Clients take the uptime of the VM for the age of the cache; they only compare the version.
    return {"version": VERSION, "vm_uptime": "1000"}


async def read(exchange: Exchange) -> dict[str, Any]:
    """The lines of an app between two moments (nanoseconds), oldest first unless `descending`."""
    guid = await exchange.run(lambda call: call.the(App).guid, write=False)
    query = Query(exchange.request.url.query)
    types = query.values("envelope_types") if "envelope_types" in query else ["LOG"]
    start, end = (query.whole(name, 0, *_MOMENTS) for name in ("start_time", "end_time"))
    limit = query.whole("limit", 0, 0, _MOST_LINES) or _DEFAULT_LINES
    descending, folder = query.flag("descending"), exchange.platform.config.app_logs
    if not {"LOG", "ANY"} & set(types):
        return {"envelopes": {"batch": []}}
    found = await run_in_threadpool(log_cache.read, folder, guid, start, limit, descending)
    batch = [_presented(guid, each) for each in found if not end or each.timestamp < end]
    return {"envelopes": {"batch": batch}}


def _presented(guid: str, envelope: Envelope) -> dict[str, Any]:
    payload = b64encode(envelope.payload.encode()).decode()
    return {
        "timestamp": str(envelope.timestamp),
        "source_id": guid,
        "instance_id": envelope.instance_id,
        "deprecated_tags": {},
        "tags": {"source_type": envelope.source_type},
        "log": {"payload": payload, "type": envelope.type},
    }


ENDPOINTS = (
    get("/api/v1/info", info),
    get("/api/v1/read/{guid}", read),
)
