"""What the Cloud Controller, the cells and the route emitters say to the BBS, as values.

Names follow Diego's (`DesiredLRP`, `ActualLRP`, `Task`). Upstream sends them as protobuf; here they travel as
JSON, under the same paths and over the same mutual TLS (see ARCHITECTURE.md, "BBS").
"""

from typing import Any, Literal

import msgspec


class ModificationTag(msgspec.Struct, frozen=True):
    """Orders two versions of one thing: a new epoch for a new thing, a higher index for a newer version."""

    epoch: str = ""
    index: int = 0

    def succeeds(self, other: "ModificationTag") -> bool:
        """Whether this tag belongs to a newer version than `other`."""
        return not self.epoch or not other.epoch or self.epoch != other.epoch or other.index < self.index


class HealthCheck(msgspec.Struct, frozen=True):
    """How the cell finds out that an instance works. Times in seconds; 0 means the default (60, 1)."""

    type: Literal["port", "http", "process"] = "port"
    endpoint: str = "/"
    timeout: int = 0
    invocation_timeout: int = 0


class DesiredLRP(msgspec.Struct, frozen=True):
    """A long-running process as it should be: `instances` copies of one process of one droplet.

    process_guid is `<CC process guid>-<version>`; a new version replaces the old one's instances.
    routes has the keys that upstream's emitter reads: `cf-router`, `tcp-router`, `internal-router`
    (for example `{"cf-router": [{"hostnames": ["a.cf.localhost/p"], "port": 8080, "route_service_url": "",
    "protocol": "http1", "options": {}}]}`).
    environment holds everything but what differs between instances, which the cell adds.
    """

    process_guid: str
    app_guid: str
    instances: int
    droplet_url: str
    command: str
    process_type: str = "web"
    domain: str = "cf-apps"
    environment: dict[str, str] = {}
    ports: tuple[int, ...] = (8080,)
    memory_mb: int = 1024
    disk_mb: int = 1024
    health_check: HealthCheck = HealthCheck()
    routes: dict[str, Any] = {}
    metric_tags: dict[str, str] = {}
    modification_tag: ModificationTag = ModificationTag()


class Port(msgspec.Struct, frozen=True):
    """A port of an instance: what the app asked for, and where it really is; the same for the TLS proxy (0: there is none)."""

    container_port: int
    host_port: int
    host_tls_proxy_port: int = 0
    container_tls_proxy_port: int = 0


LRPState = Literal["UNCLAIMED", "CLAIMED", "RUNNING", "CRASHED"]
PreferredAddress = Literal["UNKNOWN", "INSTANCE", "HOST"]


class ActualLRP(msgspec.Struct, frozen=True):
    """One instance as it is.

    since is in nanoseconds of the epoch. routable False means: running, but to be taken out of the routing
    tables (it is about to be stopped). retired means: nobody wants it any more, its cell is to drain and stop
    it and then to remove it. An UNCLAIMED instance with a cell_id has been placed there, and its cell is to
    claim it. usage has `cpu` (1.0 is one core) and `mem` (bytes). address is the cell's, instance_address the container's own;
    preferred_address says which of the two routers are to use ("UNKNOWN": as their emitter is configured).
    """

    process_guid: str
    index: int
    instance_guid: str = ""
    cell_id: str = ""
    address: str = ""
    ports: tuple[Port, ...] = ()
    state: LRPState = "UNCLAIMED"
    since: int = 0
    routable: bool = True
    retired: bool = False
    crash_count: int = 0
    crash_reason: str = ""
    placement_error: str = ""
    availability_zone: str = ""
    instance_address: str = ""
    preferred_address: PreferredAddress = "UNKNOWN"
    usage: dict[str, float] = {}
    modification_tag: ModificationTag = ModificationTag()


class InstanceUsage(msgspec.Struct, frozen=True):
    """What one instance uses at the moment: `cpu` (1.0 is one core), `mem` (bytes)."""

    instance_guid: str
    usage: dict[str, float]


class CellPresence(msgspec.Struct, frozen=True):
    """What a cell says of itself with every heartbeat.

    memory_mb is what it may give away in all (0: unknown); evacuating means that it gets nothing more to do.
    """

    cell_id: str
    address: str
    availability_zone: str = ""
    memory_mb: int = 0
    evacuating: bool = False


class Task(msgspec.Struct, frozen=True):
    """A piece of work that runs once on some cell: staging.

    The cell downloads `package_url`, builds, uploads the droplet to `droplet_upload_url` (PUT) and then posts
    the finished task to `completion_url`. result is JSON text: for staging `{"process_types": {"web": …},
    "buildpack": …, "detected_output": …}`.
    """

    task_guid: str
    app_guid: str
    package_url: str
    droplet_upload_url: str
    completion_url: str
    command: str = ""
    buildpacks: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    state: Literal["PENDING", "RUNNING", "COMPLETED"] = "PENDING"
    cell_id: str = ""
    failed: bool = False
    failure_reason: str = ""
    result: str = ""
    created_at: int = 0


EventType = Literal[
    "desired_lrp_created",
    "desired_lrp_changed",
    "desired_lrp_removed",
    "actual_lrp_instance_created",
    "actual_lrp_instance_changed",
    "actual_lrp_instance_removed",
    "task_created",
    "task_changed",
    "task_removed",
]


class Event(msgspec.Struct, frozen=True):
    """One line of the BBS's event stream; `before` is None for what is new, `after` for what is gone."""

    type: EventType
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
