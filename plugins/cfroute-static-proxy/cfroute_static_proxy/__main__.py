"""`python3 -m cfroute_static_proxy`."""

from cfroute_static_proxy.main import run

run()
