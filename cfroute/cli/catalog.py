"""Every command: where it is, what it is also called, and how it is introduced.

Only this list is read for `cfroute --help`; the module of a command is imported when the command is used. A test keeps the
summaries equal to the commands' own.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """One command. `target` is `module:attribute`, below `cfroute.cli`; `aliases` are cf's short names."""

    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()


GROUPS: dict[str, tuple[Entry, ...]] = {
    "Foundation": (
        Entry("up", "foundation.up:up", "Start the foundation"),
        Entry("down", "foundation.running:down", "Stop the foundation"),
        Entry("status", "foundation.running:status", "Show the components and how they are"),
        Entry("info", "foundation.running:info", "Show where the foundation is reached and what it was started with"),
        Entry("kill", "foundation.running:kill", "Send a signal to a component, to see what happens without it"),
        Entry("demo", "foundation.demo:demo", "Play the route-service tutorial, and verify each step"),
    ),
    "Apps": (
        Entry("push", "apps.push:push", "Push a new app or sync changes to an existing app", ("p",)),
        Entry("apps", "apps.apps:apps", "List all apps in the target space", ("a",)),
        Entry("app", "apps.apps:app", "Display health and status for an app"),
        Entry("logs", "apps.logs:logs", "Tail or show recent logs for an app or a component"),
        Entry("start", "apps.lifecycle:start", "Start an app", ("st",)),
        Entry("stop", "apps.lifecycle:stop", "Stop an app", ("sp",)),
        Entry("restart", "apps.lifecycle:restart", "Restart an app or a component", ("rs",)),
        Entry("restage", "apps.lifecycle:restage", "Stage the app's latest package into a droplet and restart the app", ("rg",)),
        Entry("restart-app-instance", "apps.lifecycle:restart_app_instance", "Terminate, then instantiate an app instance"),
        Entry("scale", "apps.scale:scale", "Change or view the instance count, disk space limit, and memory limit for an app"),
        Entry("create-app", "apps.apps:create_app", "Create an Application in the target space"),
        Entry("rename", "apps.apps:rename", "Rename an app"),
        Entry("delete", "apps.apps:delete", "Delete an app", ("d",)),
        Entry("events", "apps.events:events", "Show recent app events"),
        Entry("env", "apps.env:env", "Show all env variables for an app", ("e",)),
        Entry("set-env", "apps.env:set_env", "Set an env variable for an app", ("se",)),
        Entry("unset-env", "apps.env:unset_env", "Remove an env variable from an app", ("ue",)),
        Entry("get-health-check", "apps.health_checks:get_health_check", "Show the type of health check performed on an app"),
        Entry(
            "get-readiness-health-check",
            "apps.health_checks:get_readiness_health_check",
            "Show the type of readiness health check performed on an app",
        ),
        Entry(
            "set-health-check",
            "apps.health_checks:set_health_check",
            "Change type of health check performed on an app's process",
        ),
        Entry(
            "create-app-manifest",
            "apps.app_manifests:create_app_manifest",
            "Create an app manifest for an app that has been pushed successfully",
        ),
        Entry("apply-manifest", "apps.app_manifests:apply_manifest", "Apply manifest properties to a space"),
    ),
    "Deployments": (
        Entry(
            "cancel-deployment",
            "apps.deployments:cancel_deployment",
            "Cancel the most recent deployment for an app. Resets the current droplet to the previous deployment's droplet",
        ),
        Entry("continue-deployment", "apps.deployments:continue_deployment", "Continue the most recent deployment for an app"),
        Entry("revisions", "apps.revisions:revisions", "List revisions of an app"),
        Entry("revision", "apps.revisions:revision", "Show details for a specific app revision"),
        Entry("rollback", "apps.revisions:rollback", "Rollback to the specified revision of an app"),
        Entry("packages", "apps.packages:packages", "List packages of an app"),
        Entry("create-package", "apps.packages:create_package", "Uploads a Package"),
        Entry(
            "copy-source",
            "apps.copying:copy_source",
            "Copies the source code of an application to another existing application and restages that application",
        ),
        Entry("stage-package", "apps.packages:stage_package", "Stage a package into a droplet", ("stage",)),
        Entry("droplets", "apps.droplets:droplets", "List droplets of an app"),
        Entry("set-droplet", "apps.droplets:set_droplet", "Set the droplet used to run an app"),
        Entry("download-droplet", "apps.droplets:download_droplet", "Download an application droplet"),
        Entry("buildpacks", "apps.buildpacks:buildpacks", "List all buildpacks"),
        Entry(
            "stacks",
            "apps.buildpacks:stacks",
            "List all stacks (a stack is a pre-built file system, including an operating system, that can run apps)",
        ),
        Entry(
            "stack",
            "apps.buildpacks:stack",
            "Show information for a stack (a stack is a pre-built file system, including an operating system, that can run apps)",
        ),
    ),
    "Routes": (
        Entry("table", "routes.table:table", "Show the routing tables of the Gorouters and TCP routers, live"),
        Entry("routes", "routes.route_list:routes", "List all routes in the current space or the current organization", ("r",)),
        Entry("route", "routes.route_details:route", "Display route details and mapped destinations", ("ro",)),
        Entry("create-route", "routes.routes:create_route", "Create a route for later use"),
        Entry("check-route", "routes.routes:check_route", "Perform a check to determine whether a route currently exists or not"),
        Entry("map-route", "routes.mapping:map_route", "Map a route to an app"),
        Entry("unmap-route", "routes.mapping:unmap_route", "Remove a route from an app"),
        Entry(
            "update-route",
            "routes.route_options:update_route",
            "Update a route by route specific options, e.g. load balancing algorithm",
        ),
        Entry("update-destination", "routes.destinations:update_destination", "Updates the destination protocol for a route"),
        Entry("share-route", "routes.route_sharing:share_route", "Share a route in between spaces"),
        Entry("unshare-route", "routes.route_sharing:unshare_route", "Unshare an existing route from a space"),
        Entry("move-route", "routes.route_sharing:move_route", "Assign a route to a different space"),
        Entry("delete-route", "routes.routes:delete_route", "Delete a route"),
        Entry(
            "delete-orphaned-routes",
            "routes.routes:delete_orphaned_routes",
            "Delete all orphaned routes in the currently targeted space "
            "(i.e. those that are not mapped to an app or service instance)",
        ),
    ),
    "Route services": (
        Entry(
            "create-user-provided-service",
            "services.user_provided:create_user_provided_service",
            "Make a user-provided service instance available to CF apps",
            ("cups",),
        ),
        Entry(
            "update-user-provided-service",
            "services.user_provided:update_user_provided_service",
            "Update user-provided service instance",
            ("uups",),
        ),
        Entry(
            "bind-route-service",
            "services.route_services:bind_route_service",
            "Bind a service instance to an HTTP route",
            ("brs",),
        ),
        Entry(
            "unbind-route-service",
            "services.route_services:unbind_route_service",
            "Unbind a service instance from an HTTP route",
            ("urs",),
        ),
        Entry("services", "services.services:services", "List all service instances in the target space", ("s",)),
        Entry("service", "services.service_details:service", "Show service instance info"),
        Entry("bind-service", "services.service_bindings:bind_service", "Bind a service instance to an app", ("bs",)),
        Entry("unbind-service", "services.service_bindings:unbind_service", "Unbind a service instance from an app", ("us",)),
        Entry(
            "cleanup-outdated-service-bindings",
            "services.binding_rotation:cleanup_outdated_service_bindings",
            "Cleanup old service bindings of an app, keeping only the most recent ones",
        ),
        Entry("rename-service", "services.services:rename_service", "Rename a service instance"),
        Entry("delete-service", "services.services:delete_service", "Delete a service instance", ("ds",)),
    ),
    "Service brokers": (
        Entry("marketplace", "services.marketplace:marketplace", "List available offerings in the marketplace", ("m",)),
        Entry("create-service", "services.managed_services:create_service", "Create a service instance", ("cs",)),
        Entry("update-service", "services.managed_services:update_service", "Update a service instance"),
        Entry(
            "upgrade-service",
            "services.managed_services:upgrade_service",
            "Upgrade a service instance to the latest available version of its current service plan",
        ),
        Entry("create-service-key", "services.service_keys:create_service_key", "Create key for a service instance", ("csk",)),
        Entry("service-keys", "services.service_keys:service_keys", "List keys for a service instance", ("sk",)),
        Entry("service-key", "services.service_keys:service_key", "Show service key info"),
        Entry("delete-service-key", "services.service_keys:delete_service_key", "Delete a service key", ("dsk",)),
        Entry("share-service", "services.service_sharing:share_service", "Share a service instance with another space"),
        Entry("unshare-service", "services.service_sharing:unshare_service", "Unshare a shared service instance from a space"),
        Entry("service-brokers", "services.brokers:service_brokers", "List service brokers"),
        Entry("create-service-broker", "services.brokers:create_service_broker", "Create a service broker", ("csb",)),
        Entry("update-service-broker", "services.brokers:update_service_broker", "Update a service broker"),
        Entry("rename-service-broker", "services.brokers:rename_service_broker", "Rename a service broker"),
        Entry("delete-service-broker", "services.brokers:delete_service_broker", "Delete a service broker"),
        Entry(
            "purge-service-offering",
            "services.service_purging:purge_service_offering",
            "Recursively remove a service offering and child objects from Cloud Foundry database without making requests to a "
            "service broker",
        ),
        Entry(
            "purge-service-instance",
            "services.service_purging:purge_service_instance",
            "Recursively remove a service instance and child objects from Cloud Foundry database without making requests to a "
            "service broker",
        ),
        Entry("service-access", "services.service_access:service_access", "List service access settings"),
        Entry(
            "enable-service-access",
            "services.plan_access:enable_service_access",
            "Enable access to a service offering or service plan for one or all orgs",
        ),
        Entry(
            "disable-service-access",
            "services.plan_access:disable_service_access",
            "Disable access to a service offering or service plan for one or all orgs",
        ),
    ),
    "Domains": (
        Entry("domains", "routes.domains:domains", "List domains in the target org"),
        Entry(
            "create-shared-domain",
            "routes.domains:create_shared_domain",
            "Create a domain that can be used by all orgs (admin-only)",
        ),
        Entry(
            "create-private-domain",
            "routes.domains:create_private_domain",
            "Create a private domain for a specific org",
            ("create-domain",),
        ),
        Entry("share-private-domain", "routes.domain_sharing:share_private_domain", "Share a private domain with a specific org"),
        Entry(
            "unshare-private-domain",
            "routes.domain_sharing:unshare_private_domain",
            "Unshare a private domain with a specific org",
        ),
        Entry("router-groups", "routes.router_groups:router_groups", "List router groups"),
        Entry("delete-shared-domain", "routes.domains:delete_shared_domain", "Delete a shared domain"),
        Entry("delete-private-domain", "routes.domains:delete_private_domain", "Delete a private domain", ("delete-domain",)),
    ),
    "Orgs and spaces": (
        Entry("target", "users.targeting:target", "Set or view the targeted org or space", ("t",)),
        Entry("org", "orgs.org_details:org", "Show org info"),
        Entry("orgs", "orgs.orgs:orgs", "List all orgs", ("o",)),
        Entry("create-org", "orgs.orgs:create_org", "Create an org", ("co",)),
        Entry("rename-org", "orgs.orgs:rename_org", "Rename an org"),
        Entry("delete-org", "orgs.orgs:delete_org", "Delete an org"),
        Entry("space", "orgs.space_details:space", "Show space info"),
        Entry("spaces", "orgs.spaces:spaces", "List all spaces in an org"),
        Entry("create-space", "orgs.spaces:create_space", "Create a space", ("csp",)),
        Entry("rename-space", "orgs.spaces:rename_space", "Rename a space"),
        Entry("delete-space", "orgs.spaces:delete_space", "Delete a space"),
    ),
    "Quotas": (
        Entry("org-quotas", "orgs.org_quotas:org_quotas", "List available organization quotas", ("quotas",)),
        Entry("org-quota", "orgs.org_quotas:org_quota", "Show organization quota", ("quota",)),
        Entry(
            "create-org-quota",
            "orgs.org_quotas:create_org_quota",
            "Define a new quota for an organization",
            ("create-quota",),
        ),
        Entry(
            "update-org-quota",
            "orgs.org_quotas:update_org_quota",
            "Update an existing organization quota",
            ("update-quota",),
        ),
        Entry("delete-org-quota", "orgs.org_quotas:delete_org_quota", "Delete an organization quota", ("delete-quota",)),
        Entry("set-org-quota", "orgs.org_quotas:set_org_quota", "Assign a quota to an organization", ("set-quota",)),
        Entry("space-quotas", "orgs.space_quotas:space_quotas", "List available space quotas"),
        Entry("space-quota", "orgs.space_quotas:space_quota", "Show space quota info"),
        Entry("create-space-quota", "orgs.space_quotas:create_space_quota", "Define a new quota for a space"),
        Entry("update-space-quota", "orgs.space_quotas:update_space_quota", "Update an existing space quota"),
        Entry("delete-space-quota", "orgs.space_quotas:delete_space_quota", "Delete a space quota"),
        Entry("set-space-quota", "orgs.space_quotas:set_space_quota", "Assign a quota to a space"),
        Entry("unset-space-quota", "orgs.space_quotas:unset_space_quota", "Unassign a quota from a space"),
    ),
    "Users": (
        Entry("api", "more.endpoint:api", "Set or view target api url"),
        Entry("login", "users.accounts:login", "Log user in", ("l",)),
        Entry("logout", "users.accounts:logout", "Log user out"),
        Entry("auth", "users.accounts:auth", "Authenticate non-interactively"),
        Entry("passwd", "users.accounts:passwd", "Change user password", ("pw",)),
        Entry("create-user", "users.users:create_user", "Create a new user"),
        Entry("delete-user", "users.users:delete_user", "Delete a user"),
        Entry("org-users", "users.members:org_users", "Show org users by role"),
        Entry("set-org-role", "users.roles:set_org_role", "Assign an org role to a user"),
        Entry("unset-org-role", "users.roles:unset_org_role", "Remove an org role from a user"),
        Entry("space-users", "users.members:space_users", "Show space users by role"),
        Entry("set-space-role", "users.roles:set_space_role", "Assign a space role to a user"),
        Entry("unset-space-role", "users.roles:unset_space_role", "Remove a space role from a user"),
    ),
    "Configuration": (
        Entry("exec", "foundation.executing:execute", "Run a program that finds the foundation in its environment"),
        Entry("config show", "more.config:show", "Show what is configured"),
        Entry("config set", "more.config:set_key", "Set a key in a file"),
        Entry("config unset", "more.config:unset_key", "Remove a key from a file"),
        Entry("config init", "more.config:init", "Write a file that has every key as a comment"),
        Entry("config validate", "more.config:validate", "Check the files"),
    ),
    "More": (
        Entry("labels", "more.labels:labels", "List all labels (key-value pairs) for an API resource"),
        Entry("set-label", "more.labels:set_label", "Set a label (key-value pairs) for an API resource"),
        Entry("unset-label", "more.labels:unset_label", "Unset a label (key-value pairs) for an API resource"),
        Entry("feature-flags", "more.feature_flags:feature_flags", "Retrieve list of feature flags with status"),
        Entry("feature-flag", "more.feature_flags:feature_flag", "Retrieve an individual feature flag with status"),
        Entry("enable-feature-flag", "more.feature_flags:enable_feature_flag", "Allow use of a feature"),
        Entry("disable-feature-flag", "more.feature_flags:disable_feature_flag", "Prevent use of a feature"),
        Entry("curl", "more.curl:curl", "Send a request to the Cloud Controller's API"),
        Entry("oauth-token", "more.curl:oauth_token", "Print an access token for the API"),
        Entry("docs", "more.docs:docs", "Read the documentation, offline"),
        Entry("plugins", "more.plugin_list:plugins", "List the installed plugins and what they add"),
        Entry("completion", "more.completion:completion", "Print the shell completion script"),
        Entry("version", "more.version:version", "Show the versions of cfroute and of what it runs on", ("v",)),
        Entry("help", "more.help:help_command", "Show help", ("h",)),
    ),
}

ENTRIES: dict[str, Entry] = {entry.name: entry for group in GROUPS.values() for entry in group}
ALIASES: dict[str, str] = {alias: entry.name for entry in ENTRIES.values() for alias in entry.aliases}

DAEMONS: dict[str, tuple[str, str]] = {
    "gorouter": ("cfroute.gorouter.main", "The HTTP router"),
    "load-balancer": ("cfroute.load_balancer.main", "The HTTP load balancer in front of the Gorouters"),
    "cloud-controller": ("cfroute.cloud_controller.main", "The v3 API"),
    "uaa": ("cfroute.uaa.main", "OAuth 2.0 and tokens"),
    "routing-api": ("cfroute.routing_api.main", "Keeps TCP routes and router groups, and tells the routers"),
    "locket": ("cfroute.locket.main", "Grants the locks that only one of several processes can have"),
    "tcp-router": ("cfroute.tcp_router.main", "The TCP router"),
    "bbs": ("cfroute.diego.bbs.main", "Diego's bulletin board system and auctioneer"),
    "cell": ("cfroute.diego.cell.main", "A Diego cell: it runs the app instances"),
    "route-emitter": ("cfroute.diego.route_emitter.main", "Tells the routers what runs on a cell"),
    "route-registrar": ("cfroute.route_registrar.main", "Tells the routers where the system's components are"),
}
"""Components as commands: (module, summary). Their arguments are their own, as upstream's."""

COMMON = (
    "up", "down", "status", "push", "apps", "logs", "scale", "routes", "table", "map-route",
    "create-user-provided-service", "bind-route-service", "unbind-route-service", "info", "docs", "demo",
)  # fmt: skip
"""What `cfroute` without arguments shows."""
