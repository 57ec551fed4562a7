"""The data plane that the Gorouter and the load balancer share.

    headers    header names and values, by the rules of Go's net/http
    target     request targets: path, query, what is looked up and logged
    head       request and response heads: bytes -> values, and refusals
    chunked    the chunked transfer coding
    answer     responses that the proxy makes itself
    failure    what can go wrong on the way to a backend
    policy     what a proxy must decide: the interface between this package and its users
    sides      what an exchange asks of its client and of its backend, whatever version of HTTP they speak
    exchange   one request and its response, from the first byte to the last
    front      a client's connection that speaks HTTP/1
    backend    a connection to a backend that speaks HTTP/1, and the idle ones that are kept
    deadline   many timeouts of equal length for the price of one timer
    doorway    TLS listeners, where not everybody speaks TLS
    server     listeners, draining

The first six are pure: bytes and values in, values out.
"""
