"""TLS in front and towards backends, and what certificates say of who is there."""
