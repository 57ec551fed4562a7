"""Where routes come from: the session with NATS, and its messages."""
