"""Labels and annotations that come with a request."""

from typing import Any

from cfroute.cloud_controller import labels
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import refuse_if
from cfroute.cloud_controller.models import Labelled
from cfroute.cloud_controller.validation.common import unknown_fields


def set_metadata(thing: Labelled, body: dict[str, Any]) -> None:
    """Lay the request's metadata, which is known to be good, over what the thing has."""
    metadata = body.get("metadata") or {}
    if "labels" in metadata:
        thing.labels = labels.merged(thing.labels or {}, metadata["labels"])
    if "annotations" in metadata:
        thing.annotations = labels.merged(thing.annotations or {}, metadata["annotations"])


def change_metadata(call: Call, thing: Labelled) -> None:
    """Do what the request asks for where labels and annotations are all that can be changed. Raises 10008."""
    body = call.body
    refuse_if(unknown_fields(body, ("metadata",)) + labels.problems(body.get("metadata")))
    set_metadata(thing, body)
    call.session.flush()
