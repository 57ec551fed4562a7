"""What the components of a foundation are called; N counts those that there can be several of."""

NAMES = (
    "nats", "uaa", "cloud_controller", "route_registrar", "bbs", "locket", "tcp_emitter", "cell/N", "route_emitter/N",
    "routing_api/N", "gorouter/N", "tcp_router/N", "load_balancer",
)  # fmt: skip
FIRST = tuple(name.replace("N", "0") for name in NAMES)
"""Those of a foundation that was started without any options."""
TOLD = f"{', '.join(NAMES[:-1])} or {NAMES[-1]}"
"""For help texts."""
