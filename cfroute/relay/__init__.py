"""The TCP data plane: takes connections on ports and relays their bytes to backends, whatever they mean.

    values       what it is told: listeners, pools, backends, settings
    relay        the ports of one address; all of it
    door         a listening socket
    session      the way of one connection: which pool, which backend, both directions, the end
    inspection   waits for a TLS client's hello, for the name in it
    dial         makes a connection to a backend
    leg, tls_leg one end of a connection, and the bytes on their way to it
    pipes        large transfers stay in the kernel
    poller       which sockets can be read or written
    routes       pools and whose turn it is
    counts       what there is to measure

Below the event loop it has a poller of its own, because it has nothing to do for a chunk of bytes but to move it: a transport and
two callbacks for each would be most of the work. Who waits, waits in the kernel: what one end cannot take is not read from the
other, but for one chunk.
"""

from cfroute.relay.gear import Watcher
from cfroute.relay.relay import Relay
from cfroute.relay.values import Backend, BackendTls, Listener, Pool, Settings

__all__ = ["Backend", "BackendTls", "Listener", "Pool", "Relay", "Settings", "Watcher"]
