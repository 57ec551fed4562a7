"""Requests that a service broker may take its time for: parameters for the broker, and waiting or not."""

from cfroute.cli.access.api import Resource
from cfroute.cli.options import option
from cfroute.cli.services.user_provided import read_object
from cfroute.cli.session import Session
from cfroute.errors import UsageError

_ACCEPTED = 202

wait_option = option("--wait", "-w", is_flag=True, help="Wait for the operation to complete")
parameters_option = option(
    "-c",
    "parameters",
    help="Valid JSON object containing service-specific configuration parameters, provided inline or in a file",
)


def read_parameters(text: str | None) -> Resource | None:
    """`-c`. Raises UsageError for what is no JSON object."""
    if text is None:
        return None
    given = read_object(text)
    if given is None:
        raise UsageError(
            "Invalid configuration provided for -c flag. Please provide a valid JSON object or path to a file "
            "containing a valid JSON object."
        )
    return given


def request(session: Session, method: str, path: str, body: Resource | None = None) -> str:
    """Make the request; the URL of its job, or "" when it is done already. Raises ApiError."""
    answer = session.api.call(method, path, body=body)
    return answer.headers["Location"] if answer.status_code == _ACCEPTED else ""


def finished(session: Session, job: str, *, wait: bool) -> bool:
    """Wait until the job is done, or without `wait` until the broker has begun; whether it is done. Raises ApiError."""
    if not job:
        return True
    if wait:
        session.say("Waiting for the operation to complete.")
        session.say()
    return bool(session.api.wait(job, begun=not wait)["state"] == "COMPLETE")


def changed(session: Session, method: str, path: str, body: Resource | None = None, *, wait: bool) -> bool:
    """`request`, then `finished`."""
    return finished(session, request(session, method, path, body), wait=wait)
