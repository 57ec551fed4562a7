"""What the nursery imports before the components are forked, so that they share it; in the order in which it is needed."""

MODULES = (
    "cfroute.daemon",
    "cfroute.load_balancer.main",
    "cfroute.gorouter.main",
    "cfroute.diego.cell.main",
    "cfroute.diego.route_emitter.main",
    "cfroute.diego.bbs.main",
    "cfroute.uaa.main",
    "cfroute.cloud_controller.main",
)
