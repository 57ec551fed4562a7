"""What brokers and route services have in common: the Open Service Broker API, an HTTP server, and forwarding.

It needs nothing but Python's standard library, so that an app that uses it can be pushed as it is.
"""
