"""What a handler is given, and what it gives back.

A handler is a plain function of one `Call`. It works on one database transaction and does nothing outside of it: what has to
happen in the world afterwards (telling Diego, deleting files, writing app logs) it writes down in `call.after`, and that
is done when the transaction is safely on the disk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.sql.base import ExecutableOption

from cfroute.cloud_controller.db import stamp
from cfroute.cloud_controller.errors import NOT_AUTHORIZED, ORGANIZATION_SUSPENDED, PARSE_ERROR, ApiError, not_found
from cfroute.cloud_controller.models import AuditEvent, Organization, Resource, Role
from cfroute.cloud_controller.permissions import ANYBODY, Held, Rule
from cfroute.cloud_controller.query import Query
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.user import User
from cfroute.cloud_controller.validation.soundness import is_sound
from cfroute.cloud_controller.visibility import Sight, place
from cfroute.unreadable import UNREADABLE

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from cfroute.cloud_controller.platform import Platform

R = TypeVar("R", bound=Resource)
Loads = tuple[ExecutableOption, ...]


@dataclass
class After:
    """What is to be done after the commit."""

    apps: set[str] = field(default_factory=set)  # whose desired LRPs may have changed
    builds: list[str] = field(default_factory=list)  # that are to be staged
    operations: list[str] = field(default_factory=list)  # that are to be begun at brokers
    deployments: bool = False  # whether one has to go on
    lines: list[tuple[str, str]] = field(default_factory=list)  # (app guid, text) for the app's log
    files: list[Path] = field(default_factory=list)  # to be deleted


@dataclass(frozen=True)
class Reply:
    """An answer: JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


NO_CONTENT = Reply(204)


@dataclass
class Call:
    """One request inside its transaction. rule says who may make it, once something was found; None: admins alone."""

    platform: "Platform"
    session: "Session"
    user: User
    urls: Urls
    location: str = ""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Query = field(default_factory=Query)
    content_type: str = ""
    raw: bytes = b""
    after: After = field(default_factory=After)
    rule: Rule | None = None
    writes: bool = False
    permitted: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that came with the request; `{}` for an empty body. Raises 1001 for anything else."""
        try:
            body = msgspec.json.decode(self.raw or b"{}")
        except UNREADABLE:
            raise ApiError(PARSE_ERROR) from None
        if not isinstance(body, dict) or not is_sound(body):
            raise ApiError(PARSE_ERROR)
        return body

    def find(self, model: type[R], guid: object, loads: Loads = ()) -> R | None:
        """The thing, if there is one that the user sees. `loads` are related things that are to be read with it.

        Raises 10003 when the user may not do there what was asked for, 10017 when only the organization's suspension forbids it.
        """
        if not isinstance(guid, str):
            return None
        wanted = _by_guid(model, loads)
        if not self.user.sees_everything:
            wanted = wanted.where(self.sight.of(model))
        found = self.session.scalars(wanted, {"guid": guid}).unique().one_or_none()
        if found is not None and self.rule is None:
            self.only_admin()
        elif found is not None and self.rule is not None and model.__name__ in self.rule.kinds:
            self._permit(found)
        return found

    def several(self, model: type[R], guids: Iterable[str]) -> tuple[list[R], list[str]]:
        """Those of the things that the user sees, and the guids of the others: each once, in the order of the guids.

        All are asked for at once. Whether he may do anything there is another question (`may_at`).
        """
        wanted = list(dict.fromkeys(guids))
        # a list of any length in one parameter: SQLite has a limit for their number
        among = select(func.json_each(msgspec.json.encode(wanted).decode()).table_valued("value").c.value)
        rows = self.session.scalars(select(model).where(model.guid.in_(among), *self.visible(model))).unique()
        found = {each.guid: each for each in rows}
        return [found[guid] for guid in wanted if guid in found], [guid for guid in wanted if guid not in found]

    def visible(self, model: type[Resource]) -> "list[ColumnElement[bool]]":
        """The conditions for what the user sees of a kind."""
        return [] if self.user.sees_everything else [self.sight.of(model)]

    @cached_property
    def sight(self) -> Sight:
        """What the user sees by the roles that he has."""
        return Sight(self.user.guid, self._held)

    @cached_property
    def _held(self) -> list[Held]:
        found = select(Role.type, Role.organization_guid, Role.space_guid).where(Role.user_guid == self.user.guid)
        return [Held(*row) for row in self.session.execute(found)]

    def _permit(self, thing: Resource) -> None:
        if not self._has_role_at(thing):
            raise ApiError(NOT_AUTHORIZED)
        if self._is_suspended(thing):
            raise ApiError(ORGANIZATION_SUSPENDED)
        self.permitted = True

    def may_at(self, thing: Resource) -> bool:
        """Whether the user may do what was asked for where the thing is."""
        return self._has_role_at(thing) and not self._is_suspended(thing)

    def _has_role_at(self, thing: Resource) -> bool:
        above_roles = self.user.admin if self.writes else self.user.sees_secrets
        return above_roles or (self.rule is not None and self.rule.allows(self._held, place(thing)))

    def _is_suspended(self, thing: Resource) -> bool:
        """Whether nobody but admins may change anything where the thing is."""
        guid = place(thing).organization
        if guid is None or self.user.admin or not self.writes:
            return False
        return self.session.get_one(Organization, guid).suspended

    def refuse_unpermitted(self) -> None:
        """Raise 10003 when nothing that the request named has shown that the user may do it."""
        if self.user.admin or self.permitted or self.rule == ANYBODY:
            return
        raise ApiError(NOT_AUTHORIZED)

    def the(self, model: type[R], name: str | None = None, parameter: str = "guid", *, loads: Loads = ()) -> R:
        """The thing that the path names. Raises 404 with the name of its kind."""
        found = self.find(model, self.path[parameter], loads)
        if found is None:
            raise not_found(name or model.__name__)
        return found

    def add(self, thing: R) -> R:
        """Give it its guid and times; it is inserted with what is added after it."""
        self.session.add(thing)
        stamp(self.session)
        return thing

    def save(self, thing: R) -> R:
        """Insert it, so that it has its guid and times."""
        self.session.add(thing)
        self.session.flush()
        return thing

    def only_admin(self) -> None:
        if not self.user.admin:
            raise ApiError(NOT_AUTHORIZED)

    def audit(
        self,
        action: str,
        target: Resource,
        name: str,
        space: str | None = None,
        organization: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Write down that the user did `action` (`app.create`) to the target; organization: another than it is in."""
        event = AuditEvent(
            type=f"audit.{action}",
            actor_guid=self.user.guid,
            actor_name=self.user.name,
            target_guid=target.guid,
            target_type=action.partition(".")[0],
            target_name=name,
            space_guid=space,
            organization_guid=organization or place(target).organization,
            data=data or {},
        )
        self.session.add(event)


@cache
def _by_guid(model: type[R], loads: Loads) -> Select[R]:
    """The statement is kept: making it, and seeing that it is the same again, takes as long as the database."""
    return select(model).where(model.guid == bindparam("guid")).options(*loads)
