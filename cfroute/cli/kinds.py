"""What the values on a command line are: names of things that exist, and so can be completed, or something else.

A parameter is what its name says, unless its command says otherwise (`argument("org", NEW)`). Live kinds are the keys of
`live_values.KINDS`; several are joined by `-or-`.
"""

NEW = "new"  # the name of what the command makes
TEXT = "text"  # words of the user's own: a path, a number, a selector
FILE = "file"  # a file; `-` is stdin or stdout
SECRET = "secret"  # noqa: S105 (a password; `-` is a line of stdin)
OTHER = (NEW, TEXT, FILE, SECRET)

KINDS: dict[str, str] = {
    "app": "app",
    "app_name": "app",
    "broker": "broker",
    "buildpack": "buildpack",
    "buildpacks": "buildpack",
    "command": TEXT,
    "component": "component",
    "credentials": FILE,
    "data": FILE,
    "destination_app": "app",
    "disk": TEXT,
    "domain": "domain",
    "droplet": "droplet",
    "endpoint": TEXT,
    "feature_flag": "feature-flag",
    "headers": TEXT,
    "host": "host",
    "hostname": "host",
    "index": "instance",
    "key": TEXT,
    "labels": TEXT,
    "manifest_path": FILE,
    "memory": TEXT,
    "method": TEXT,
    "name": TEXT,
    "offering": "offering",
    "options": TEXT,
    "org": "org",
    "organization": "org",
    "organization_quota": "org-quota",
    "org_quota": "org-quota",
    "origin": TEXT,
    "other_org": "org",
    "other_space": "space",
    "parameters": FILE,
    "password": SECRET,
    "path": TEXT,
    "plan": "plan",
    "port": "port",
    "process": "process",
    "protocol": TEXT,
    "quota": "org-quota",
    "revision": "revision",
    "role": "role",
    "route": "route",
    "router_group": "router-group",
    "route_service_url": TEXT,
    "sample": "sample",
    "service": "service",
    "service_broker": "broker",
    "service_instance": "service",
    "service_key": "service-key",
    "service_offering": "offering",
    "space": "space",
    "space_quota": "space-quota",
    "stack": "stack",
    "syslog_drain_url": TEXT,
    "tags": TEXT,
    "topic": "topic",
    "url": TEXT,
    "signal_name": TEXT,
    "timeout": TEXT,
    "username": "user",
    "value": TEXT,
    "variable_files": FILE,
    "variables": TEXT,
}
"""Names of parameters, and what stands there."""


def kind_of(name: str, declared: str = "") -> str:
    """The kind of a parameter, or "" when nobody has said."""
    return declared or KINDS.get(name, "")
