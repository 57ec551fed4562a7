"""The address of this machine, as upstream finds it."""

import socket
from functools import cache


@cache
def outgoing_address() -> str:
    """The local address that packets to the world would have: `hosts` of the start message. 127.0.0.1 without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("1.2.3.4", 1))  # a UDP association: nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
