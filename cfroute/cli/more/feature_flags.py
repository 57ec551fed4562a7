"""The platform's feature flags: shown, and switched on and off."""

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError
from cfroute.cli.command import command
from cfroute.cli.options import argument
from cfroute.cli.session import Session
from cfroute.errors import NotFound


class FeatureFlag(msgspec.Struct):
    """One feature that can be switched off."""

    name: str
    enabled: bool

    @property
    def state(self) -> str:
        return "enabled" if self.enabled else "disabled"


def _list_text(flags: list[FeatureFlag]) -> str:
    return render.table(("name", "state"), ((flag.name, flag.state) for flag in flags))


def _one_text(flag: FeatureFlag) -> str:
    return render.table(("Features", "State"), [(flag.name, flag.state)])


@command(
    "feature-flags",
    usage="cfroute feature-flags",
    examples=("cfroute feature-flags", "cfroute feature-flags --json"),
    see_also=("disable-feature-flag", "enable-feature-flag", "feature-flag"),
    text=_list_text,
)
def feature_flags(session: Session) -> list[FeatureFlag]:
    session.say(f"Getting feature flags as {session.target.user}...")
    session.say()
    return [msgspec.convert(each, FeatureFlag) for each in session.api.list("/v3/feature_flags")]


@command(
    "feature-flag",
    usage="cfroute feature-flag FEATURE_FLAG_NAME",
    examples=("cfroute feature-flag route_sharing", "cfroute feature-flag route_creation --json"),
    see_also=("disable-feature-flag", "enable-feature-flag", "feature-flags"),
    text=_one_text,
)
@argument("name", "feature-flag", metavar="FEATURE_FLAG_NAME")
def feature_flag(session: Session, name: str) -> FeatureFlag:
    session.say(f"Getting info for feature flag {render.name(name)} as {session.target.user}...")
    session.say()
    return _call(session, "GET", name)


@command(
    "enable-feature-flag",
    usage="cfroute enable-feature-flag FEATURE_FLAG_NAME",
    examples=("cfroute enable-feature-flag route_sharing", "cfroute enable-feature-flag hash_based_routing"),
    see_also=("disable-feature-flag", "feature-flag", "feature-flags"),
)
@argument("name", "feature-flag", metavar="FEATURE_FLAG_NAME")
def enable_feature_flag(session: Session, name: str) -> FeatureFlag:
    session.say(f"Enabling feature flag {render.name(name)} as {session.target.user}...")
    return _switch(session, name, enabled=True)


@command(
    "disable-feature-flag",
    usage="cfroute disable-feature-flag FEATURE_FLAG_NAME",
    examples=("cfroute disable-feature-flag route_sharing", "cfroute disable-feature-flag route_creation"),
    see_also=("enable-feature-flag", "feature-flag", "feature-flags"),
)
@argument("name", "feature-flag", metavar="FEATURE_FLAG_NAME")
def disable_feature_flag(session: Session, name: str) -> FeatureFlag:
    session.say(f"Disabling feature flag {render.name(name)} as {session.target.user}...")
    return _switch(session, name, enabled=False)


def _switch(session: Session, name: str, *, enabled: bool) -> FeatureFlag:
    changed = _call(session, "PATCH", name, {"enabled": enabled})
    session.ok()
    return changed


def _call(session: Session, method: str, name: str, body: object = None) -> FeatureFlag:
    try:
        return msgspec.convert(session.api.call(method, f"/v3/feature_flags/{lookup.part(name)}", body=body).json(), FeatureFlag)
    except ApiError as error:
        if error.says(detail="Feature flag not found"):
            raise NotFound(f"Feature flag '{name}' not found.") from error
        raise
