"""`cfroute cloud-controller -c cloud_controller_ng.yml`: the Cloud Controller as a daemon."""

import argparse
from collections.abc import Sequence

from cfroute import daemon
from cfroute.cloud_controller import config as configuration


def main(argv: Sequence[str]) -> int:
    """Serve until asked to stop; the exit status."""
    parser = argparse.ArgumentParser(prog="cfroute cloud-controller", description="Serves the v3 API.")
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="configuration file (cloud_controller_ng.yml)")
    config = configuration.load(parser.parse_args(argv).config)
    from cfroute.cloud_controller.service import serve  # takes longer than to say what is wrong with the arguments

    return daemon.run(lambda stop: serve(config, stop))
