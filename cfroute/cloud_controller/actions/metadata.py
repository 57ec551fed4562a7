"""Labels and annotations that come with a request."""

from typing import Any

from cfroute.cloud_controller import labels
from cfroute.cloud_controller.models import Labelled


def set_metadata(thing: Labelled, body: dict[str, Any]) -> None:
    """Lay the request's metadata, which is known to be good, over what the thing has."""
    metadata = body.get("metadata") or {}
    if "labels" in metadata:
        thing.labels = labels.merged(thing.labels or {}, metadata["labels"])
    if "annotations" in metadata:
        thing.annotations = labels.merged(thing.annotations or {}, metadata["annotations"])
