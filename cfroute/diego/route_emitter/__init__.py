"""The route emitter: tells the routers which instances answer for which routes.

routes, endpoints, table, messages, unregistrations   decide what to say
watcher                  follows the BBS and keeps the table
emitter                  hands what changes to the outlets: nats_outlet for HTTP and internal routes, tcp_outlet for TCP routes
scheduler                has everything said again, as often as the routers ask for
checks, process          put it together
"""
