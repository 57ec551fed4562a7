"""What the values on a command line are: names of things that exist, and so can be completed, or something else.

A parameter is what its name says, unless its command says otherwise (`argument("org", NEW)`). Live kinds are the keys of
`live_values.LOOKS`; several are joined by `-or-`.
"""

NEW = "new"  # the name of what the command makes
TEXT = "text"  # words of the user's own: a path, a number, a selector
FILE = "file"  # a file to read; `-` is stdin
SECRET = "secret"  # noqa: S105 (a password; `-` is a line of stdin)
OUTPUT = "output"  # a file to write; `-` is stdout
JSON = "json"  # JSON, or the name of a file with it; `-` is stdin
PLACE = "place"  # a file whose name is remembered or told; it stays where it is
OTHER = (NEW, TEXT, FILE, OUTPUT, JSON, PLACE, SECRET)

PARAMETERS: dict[str, str] = {
    "app": "app",
    "app_name": "app",
    "broker": "broker",
    "buildpack": "buildpack",
    "buildpacks": "buildpack",
    "command": TEXT,
    "component": "component",
    "credentials": JSON,
    "data": TEXT,
    "destination_app": "app",
    "disk": TEXT,
    "docker_image": TEXT,
    "docker_username": TEXT,
    "domain": "domain",
    "droplet": "droplet",
    "endpoint": TEXT,
    "feature_flag": "feature-flag",
    "headers": TEXT,
    "host": "host",
    "hostname": "host",
    "index": "instance",
    "instance_steps": TEXT,
    "key": TEXT,
    "labels": TEXT,
    "lifecycle": TEXT,
    "log_rate_limit": TEXT,
    "manifest_path": FILE,
    "memory": TEXT,
    "method": TEXT,
    "name": TEXT,
    "nats": SECRET,
    "offering": "offering",
    "options": TEXT,
    "org": "org",
    "org_quota": "org-quota",
    "organization": "org",
    "organization_quota": "org-quota",
    "origin": TEXT,
    "other_org": "org",
    "other_space": "space",
    "output": OUTPUT,
    "package_guid": "package",
    "parameters": JSON,
    "password": SECRET,
    "path": TEXT,
    "plan": "plan",
    "port": "port",
    "process": "process",
    "protocol": TEXT,
    "quota": "org-quota",
    "removed": TEXT,
    "revision": "revision",
    "role": TEXT,
    "route": "route",
    "route_service_url": TEXT,
    "router_group": "router-group",
    "routing_database": SECRET,
    "sample": "sample",
    "service": "service",
    "service_broker": "broker",
    "service_instance": "service",
    "service_key": "service-key",
    "service_offering": "offering",
    "signal_name": TEXT,
    "space": "space",
    "space_quota": "space-quota",
    "stack": "stack",
    "syslog_drain_url": TEXT,
    "tags": TEXT,
    "timeout": TEXT,
    "url": TEXT,
    "username": "user",
    "value": TEXT,
    "variable_files": FILE,
    "variables": TEXT,
}
"""Names of parameters, and what stands there."""


def kind_of(name: str, declared: str = "") -> str:
    """The kind of a parameter, or "" when nobody has said."""
    return declared or PARAMETERS.get(name, "")
