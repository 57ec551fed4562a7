"""`/Groups`: which scopes users may have."""

from collections.abc import Callable
from typing import Any

from cfroute.clock import Clock
from cfroute.uaa import scim
from cfroute.uaa.errors import already_exists, invalid_resource, no_such_resource
from cfroute.uaa.group_store import Group
from cfroute.uaa.guard import Guard
from cfroute.uaa.requests import Answer, Asked
from cfroute.uaa.scim_filter import matches
from cfroute.uaa.store import Store

_READ, _WRITE, _UPDATE = "scim.read", "scim.write", "groups.update"


class Groups:
    """The endpoints. Calls block: run them in a thread."""

    def __init__(self, store: Store, guard: Guard, clock: Clock, new_guid: Callable[[], str]) -> None:
        self._store = store
        self._guard = guard
        self._clock = clock
        self._new_guid = new_guid

    def index(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _READ)
        wanted = scim.wanted(asked.query)
        shown = [self._shown(group) for group in self._store.groups.all()]
        return Answer(scim.page([each for each in shown if wanted is None or matches(wanted, each)], asked.query))

    def create(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _WRITE)
        body = asked.json
        name, description = body.get("displayName"), body.get("description", "")
        if not isinstance(name, str) or not name or not isinstance(description, str):
            raise invalid_resource("A group must have a displayName.")
        members = [self._user(each) for each in body.get("members") or []]
        with self._store.database.writing():
            if self._store.groups.named(name):
                raise already_exists(f"A group with displayName: {name} already exists.")
            group = Group(self._new_guid(), name, description, self._clock.now())
            self._store.groups.create(group)
            for guid in members:
                self._store.groups.add(guid, [name])
        return Answer(self._shown(group), 201)

    def show(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _READ)
        return Answer(self._shown(self._group(asked)))

    def delete(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _WRITE)
        group = self._group(asked)
        shown = self._shown(group)
        self._store.groups.delete(group.guid)
        return Answer(shown)

    def members(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _READ)
        return Answer([scim.member(guid) for guid in self._store.groups.members(self._group(asked).guid)])

    def add_member(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _WRITE, _UPDATE)
        group, guid = self._group(asked), self._user(asked.json)
        if guid in self._store.groups.members(group.guid):
            raise already_exists(f"member {guid} is already a member of group {group.guid}")
        self._store.groups.add(guid, [group.name])
        return Answer(scim.member(guid), 201)

    def remove_member(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _WRITE, _UPDATE)
        group, guid = self._group(asked), asked.path["member"]
        if guid not in self._store.groups.members(group.guid):
            raise no_such_resource(f"member {guid} does not exist in group {group.guid}")
        self._store.groups.remove(guid, group.guid)
        return Answer(scim.member(guid))

    def _group(self, asked: Asked) -> Group:
        found = self._store.groups.find(asked.path["id"])
        if found is None:
            raise no_such_resource(f"Group {asked.path['id']} does not exist")
        return found

    def _user(self, member: Any) -> str:
        guid = member.get("value") if isinstance(member, dict) else None
        if not isinstance(guid, str) or self._store.users.find(guid) is None:
            raise invalid_resource(f"Invalid group member: {guid}")
        return guid

    def _shown(self, group: Group) -> dict[str, Any]:
        return scim.group(group.guid, group.name, group.description, group.created_at, self._store.groups.members(group.guid))
