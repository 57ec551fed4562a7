"""NATS: where its server is, and a client of it that is small enough for every daemon."""
