"""`python3 -m cfroute_ratelimit`: how the app is started."""

from cfroute_ratelimit.main import run

run()
