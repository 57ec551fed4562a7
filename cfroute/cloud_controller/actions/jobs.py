"""Answers that say "later". The work is done already: clients poll every three seconds, and would only wait."""

from typing import Any

from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.models import Job


def accepted(call: Call, operation: str, errors: list[dict[str, Any]] | None = None) -> Reply:
    """202 with the address of a finished job; with errors, it has failed."""
    job = call.save(Job(operation=operation, state="FAILED" if errors else "COMPLETE", errors=errors or []))
    return Reply(202, headers={"Location": call.urls.v3(f"/jobs/{job.guid}")})
