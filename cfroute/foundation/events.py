"""What a supervisor says about its foundation, to whoever watches: `up`'s view, `status`, the control socket."""

import msgspec


class ComponentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One component, as `cfroute status` shows it. `since` is seconds of the epoch; `pid` 0 means that there is no process."""

    name: str
    state: str
    since: float
    pid: int
    address: str
    restarts: int
    last_error: str


class StateChanged(msgspec.Struct, frozen=True, tag="state", tag_field="event"):
    """A component has changed its state."""

    component: ComponentStatus


class Ready(msgspec.Struct, frozen=True, tag="ready", tag_field="event"):
    """All components are healthy: a request would be routed. `seconds` is how long that took."""

    seconds: float


class Warned(msgspec.Struct, frozen=True, tag="warned", tag_field="event"):
    """Something does not work as it should, and the foundation goes on without it."""

    text: str


class Stopping(msgspec.Struct, frozen=True, tag="stopping", tag_field="event"):
    """The foundation is going down."""

    why: str


class Failed(msgspec.Struct, frozen=True, tag="failed", tag_field="event"):
    """The foundation did not start. `kind` names the class of `cfroute.errors`."""

    kind: str
    message: str
    hint: str


Event = StateChanged | Warned | Ready | Stopping | Failed
