"""The org and space that commands work in."""

from functools import cached_property

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.settings import Settings
from cfroute.errors import CfrouteError


class Target:
    """Looks up the targeted org and space by their names when they are needed."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings

    @cached_property
    def org(self) -> Resource:
        """Raises CfrouteError when no org is targeted, NotFound when it is gone."""
        if not self._settings.organization:
            _ = self._api.token  # raises for who has not logged in, which is to be heard first
            raise CfrouteError("No org targeted, use 'cfroute target -o ORG' to target an org.")
        return lookup.org(self._api, self._settings.organization)

    @cached_property
    def space(self) -> Resource:
        """Raises CfrouteError when no space is targeted, NotFound when it is gone."""
        org = self.org
        if not self._settings.space:
            raise CfrouteError("No space targeted, use 'cfroute target -s SPACE' to target a space.")
        return lookup.space(self._api, org, self._settings.space)

    def check(self, *, org: bool = False, space: bool = False) -> None:
        """What cf looks at before a command says or asks anything.

        Raises CfrouteError for who has not logged in, or has not targeted an org, or a space.
        """
        _ = self._api.token
        _ = self.org if org else None
        _ = self.space if space else None

    @property
    def place(self) -> str:
        """`org O / space S as USER`, for announcements."""
        org, space = render.name(self.org["name"]), render.name(self.space["name"])
        return f"org {org} / space {space} as {self.user}"

    @property
    def org_place(self) -> str:
        """`org O as USER`."""
        return f"org {render.name(self.org['name'])} as {self.user}"

    @property
    def user(self) -> str:
        return render.name(self._api.user)
