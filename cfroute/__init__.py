"""cfroute: Cloud Foundry's routing tier on one machine."""

__version__ = "0.1.0"
