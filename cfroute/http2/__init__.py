"""HTTP/2 for the data plane: the same exchanges, with streams as their sides.

    frames           frames: bytes -> values -> bytes; error codes
    hpack_blocks     header blocks: bytes -> fields -> bytes
    messages         requests and responses as fields, by the rules of Go's net/http
    budget           how much of what costs its sender nothing is taken
    stream           one stream: windows, what waits for them, its end
    connection       one connection: frames to streams, settings, windows
    client_stream    a stream as the client's side of an exchange
    backend_stream   a stream as the backend's side of an exchange
    transport        a connection and its transport
    front            a client's connection
    backend          a connection to a backend
    destination      a backend that is asked what it speaks
    negotiation      a connection before it is known what it speaks

The first six are pure: bytes and values in, values out.
"""
