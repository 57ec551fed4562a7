"""gRPC with one message in each direction (unary calls), above our own HTTP/2: both sides take 4 MB less than grpcio's 14.

    status              codes and errors of calls
    wire                messages, timeouts and header blocks: bytes -> values -> bytes
    server_connection   a client's connection, with a call on each stream
    serving             a listener
    client_connection   a connection to a server
    channel             calls, on a connection that is made anew when it is lost

The first two are pure. Compression and streams of messages are not offered.
"""
