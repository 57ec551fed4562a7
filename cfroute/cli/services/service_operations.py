"""Requests that a service broker may take its time for: made, waited for or not, and how the last one went."""

from cfroute.cli.access.api import Resource
from cfroute.cli.session import Session

_ACCEPTED = 202


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


def operation_text(thing: Resource) -> str:
    """`create succeeded`: the last operation of an instance, a binding or a key."""
    operation = thing.get("last_operation") or {}
    return f"{operation.get('type', '')} {operation.get('state', '')}".strip()
