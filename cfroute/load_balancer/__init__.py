"""The load balancers in front of Gorouters and TCP routers: what a foundation's clients talk to.

config      its configuration file
health      who is healthy, and how that is found out
routers     the Gorouters behind it
balancer    what happens to a request: the policy for the data plane; the status page
tcp_routers the TCP routers behind it
tcp         what happens to a connection on a port for TCP routes
main        the process
"""
