"""How the statements about the original components are numbered, and what the sections are about.

A section of Gorouter's is its number, one of another component's has that component's name before it: "4.5", "UAA 2".
"""

from typing import Final

CHECKLIST: Final = "E"
CHECKLIST_POINTS: Final = 36

# Chapters have a number or a letter; what stands after a dot is a part of the chapter.
_GOROUTER: Final[dict[str, str]] = {
    "1": "Configuration",
    "1.1": "Command line and loading",
    "1.2": "Keys, types and defaults",
    "1.3": "Derived values",
    "1.4": "Validation and failed starts",
    "2": "NATS",
    "2.1": "Session and subjects",
    "2.2": "Failures of NATS",
    "2.3": "Registrations",
    "2.4": "Start and registration interval",
    "3": "Registry",
    "3.1": "Keys of routes",
    "3.2": "Look-up",
    "3.3": "Pools and endpoints",
    "3.4": "Register",
    "3.5": "Unregister",
    "3.6": "Isolation segments",
    "3.7": "Pruning and empty pools",
    "3.8": "Connection limit",
    "3.9": "Routing API",
    "4": "Request pipeline",
    "4.1": "Order of the handlers",
    "4.2": "Responses in general",
    "4.3": "What the HTTP server refuses and accepts",
    "4.4": "Health check and protocol",
    "4.5": "Tracing headers",
    "4.6": "Headers towards the backend",
    "4.7": "Errors made by the router",
    "4.8": "Responses of backends",
    "4.9": "Special requests",
    "4.10": "Trace key",
    "4.11": "Sticky sessions",
    "5": "Endpoint selection and retries",
    "5.1": "Round robin",
    "5.2": "Least connection",
    "5.3": "Availability zones and failed endpoints",
    "5.4": "Classes of failures",
    "5.5": "Attempts",
    "6": "Route services",
    "6.1": "When a route is bound",
    "6.2": "Signatures",
    "6.3": "The way out",
    "6.4": "The way back",
    "6.5": "Other answers",
    "6.6": "Retries",
    "6.7": "Internal look-up",
    "7": "TLS and PROXY protocol",
    "7.1": "Towards backends",
    "7.2": "The listener",
    "7.3": "Client certificates",
    "7.4": "Rules for client certificates",
    "7.5": "PROXY protocol",
    "8": "HTTP/2 and gRPC",
    "9": "Logs",
    "9.1": "Application log",
    "9.2": "Access log",
    "9.3": "Redaction",
    "9.4": "Loggregator",
    "10": "Status, metrics, debug",
    "10.1": "Health",
    "10.2": "Routes",
    "10.3": "The older status pages",
    "10.4": "Debug listener",
    "10.5": "Prometheus",
    "10.6": "Metrics for metron",
    "11": "Lifecycle",
    "11.1": "Start",
    "11.2": "Signals",
    "11.3": "Drain",
    "11.4": "Files",
    "12": "Timeouts",
    "A": "An older version",
    "B": "Newer features",
    "C": "Names of BOSH properties",
    "D": "Vectors of route services",
    CHECKLIST: "Checklist",
    "F": "Rules of Go's libraries",
}

_ROUTING_API: Final[dict[str, str]] = {
    "1": "Process, flags, exit codes",
    "2": "Configuration",
    "3": "Listeners, start, end",
    "4": "Tokens and scopes",
    "5": "Endpoints",
    "5.1": "Bodies that cannot be read",
    "5.2": "HTTP routes",
    "5.3": "TCP routes",
    "6": "Upserts, deletions, expiry",
    "7": "Event streams",
    "8": "Router groups",
    "9": "Admin server",
    "10": "Lock",
    "11": "Metrics",
    "12": "Database",
    "13": "Log",
    "14": "Clients",
    "15": "Newer features",
    "17": "Oddities",
}
_TCP_ROUTER: Final[dict[str, str]] = {
    "1": "Flags",
    "2": "Configuration",
    "3": "Start",
    "4": "Tokens",
    "5": "Following the event stream",
    "6": "Bulk sync",
    "7": "Table",
    "8": "Pruning",
    "9": "HAProxy's configuration",
    "10": "Reload",
    "11": "Monitor",
    "12": "Signals and drain",
    "13": "Metrics",
    "14": "Health check",
    "15": "Isolation segments, router groups",
    "17": "Oddities",
}
_LOCKET: Final[dict[str, str]] = {
    "1": "API",
    "2": "Time to live",
    "3": "Clients",
}
_UAA: Final[dict[str, str]] = {
    "1": "Who asks",
    "2": "Endpoints for components",
    "3": "Clients, users and their tokens",
    "4": "What the cf CLI does",
    "5": "Failures",
}
_ROUTE_EMITTER: Final[dict[str, str]] = {
    "1": "Command line and configuration",
    "2": "Members and modes",
    "3": "BBS",
    "4": "Messages",
    "4.1": "HTTP routes",
    "4.2": "Internal routes",
    "4.3": "TCP routes",
    "5": "When it emits",
    "6": "Repeated unregistrations",
    "7": "Intervals",
    "8": "Metrics",
}
_ROUTE_REGISTRAR: Final[dict[str, str]] = {
    "1": "Command line, log, exit codes",
    "2": "Configuration",
    "3": "Start",
    "4": "NATS",
    "5": "Schedule and health checks",
    "6": "Dynamic routes",
    "7": "TCP routes",
    "8": "Signals",
    "10": "Newer features",
    "11": "The BOSH job",
}

GOROUTER: Final = "Gorouter"
COMPONENTS: Final[dict[str, dict[str, str]]] = {
    GOROUTER: _GOROUTER,
    "Routing API": _ROUTING_API,
    "TCP router": _TCP_ROUTER,
    "Locket": _LOCKET,
    "UAA": _UAA,
    "route emitter": _ROUTE_EMITTER,
    "route registrar": _ROUTE_REGISTRAR,
}
"""The sections of each, in the order in which they are shown."""

SECTIONS: Final[dict[str, str]] = {
    number if component == GOROUTER else f"{component} {number}": title
    for component, sections in COMPONENTS.items()
    for number, title in sections.items()
}
"""The titles of all sections, by what markers call them."""


def component(section: str) -> str:
    """Whose section it is."""
    return section.rpartition(" ")[0] or GOROUTER


def number(section: str) -> str:
    """The section's number among those of its component."""
    return section.rpartition(" ")[2]


def chapter(section: str) -> str:
    """The chapter that a section belongs to: "4.11" is part of "4"."""
    return section.partition(".")[0]
