"""Where routes come from: the client of NATS, the session, and its messages."""
