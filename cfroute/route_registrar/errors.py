"""What ends a route registrar besides being asked to."""


class Unusable(Exception):
    """The configuration cannot be worked with; the message is what upstream writes to stderr."""


class RegistrationError(Exception):
    """A route could not be told: NATS, UAA or Routing API are not there, or refuse."""
