"""The Routing API: where TCP routes are kept, and HTTP routes of those who do not speak NATS."""
