"""What is wrong with a configuration file."""

from cfroute.errors import ConfigurationError


class ConfigError(ConfigurationError):
    """A configuration that upstream refuses; the message is the `error` of its log line `Error loading config:`."""
