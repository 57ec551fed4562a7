"""NATS: the server, the client and the messages of the routing tier."""
