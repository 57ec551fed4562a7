"""The route emitter: tells the Gorouters, through NATS, which instances answer for which routes.

table, messages, unregistrations   decide what to say
watcher      follows the BBS and keeps the table
emitter      says it
scheduler    says everything again, as often as the routers ask for
"""
